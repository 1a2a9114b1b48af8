// Chooses the option with a text, and says why it cannot, or "".
function (text) {
    if (!(this instanceof HTMLSelectElement)) return `it is a <${this.localName}>, not a select: open it with Click and click the option`
    if (this.disabled) return 'it is disabled'
    const flat = (s) => s.replace(/\s+/g, ' ').trim()
    const option = [...this.options].find((o) => flat(o.label) === flat(text))
    if (!option) return `there are only ${[...this.options].map((o) => JSON.stringify(flat(o.label))).join(', ')}`
    if (option.disabled) return 'the option is disabled'
    this.focus()
    if (this.multiple) option.selected = !option.selected
    else option.selected = true
    this.dispatchEvent(new Event('input', { bubbles: true }))
    this.dispatchEvent(new Event('change', { bubbles: true }))
    return ''
}
