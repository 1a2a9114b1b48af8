// Scrolls to the element and says why a click on its middle would not meet it, or "".
function () {
    const meets = () => {
        const box = this.getBoundingClientRect()
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
        if (!hit) return 'it is outside of the window'
        if (this.contains(hit)) return ''
        for (const label of this.labels ?? []) if (label.contains(hit)) return ''
        return `it is covered by <${hit.localName} class="${hit.className}">`
    }
    if (!this.isConnected) return 'it is gone'
    if (this.disabled) return 'it is disabled'
    if (this.getClientRects().length === 0) return 'it takes no place'
    for (const block of ['nearest', 'center', 'start', 'end']) {
        this.scrollIntoView({ block, inline: 'nearest', behavior: 'instant' })
        if (meets() === '') return ''
    }
    return meets()
}
