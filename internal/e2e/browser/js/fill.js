// Gives the field the focus and selects what stands in it, so that what is typed replaces it. Fields that are not typed
// into, such as dates, are set; then the answer is false.
function (text) {
    if (this.readOnly) throw new Error('the field is read only')
    this.scrollIntoView({ block: 'nearest', behavior: 'instant' })
    this.focus()
    if (document.activeElement !== this && !this.contains(document.activeElement)) throw new Error('the field does not take the focus')
    const typed = this instanceof HTMLTextAreaElement ||
        this instanceof HTMLInputElement && ['text', 'search', 'url', 'tel', 'email', 'password', 'number'].includes(this.type)
    if (typed) {
        this.select()
        return true
    }
    if (this.isContentEditable) {
        getSelection().selectAllChildren(this)
        return true
    }
    if (!(this instanceof HTMLInputElement)) throw new Error(`<${this.localName}> is no field to fill`)
    this.value = text
    this.dispatchEvent(new Event('input', { bubbles: true }))
    this.dispatchEvent(new Event('change', { bubbles: true }))
    return false
}
