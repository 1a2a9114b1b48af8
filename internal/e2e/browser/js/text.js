// Gives the visible text of a document or an element.
function () {
    const element = this.nodeType === Node.DOCUMENT_NODE ? this.body : this
    return element?.innerText ?? ''
}
