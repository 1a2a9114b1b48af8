// Lists what in the document can only come from text that was taken for markup or for an address.
function () {
    const found = []
    const show = (element) => element.cloneNode(false).outerHTML.slice(0, 200)
    const runs = /^[\s\u0000-\u001f]*(j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|v\s*b\s*s\s*c\s*r\s*i\s*p\s*t|data)\s*:/i
    const addresses = ['href', 'src', 'action', 'formaction', 'xlink:href', 'srcdoc', 'data', 'poster', 'background']
    for (const element of this.querySelectorAll('*')) {
        if (element.hasAttribute('data-xss')) found.push(`hostile text became an element: ${show(element)}`)
        for (const { name, value } of element.attributes) {
            if (name.startsWith('on')) found.push(`an attribute is a script: ${show(element)}`)
            const picture = element.localName === 'img' && name === 'src' && /^data:image\/(png|jpeg|webp|svg\+xml);base64,/.test(value)
            if (!addresses.includes(name) || picture) continue
            if (runs.test(value) || name === 'srcdoc') found.push(`an address runs: ${show(element)}`)
            if (value.includes('stranger.invalid') && element.localName !== 'a') found.push(`a stranger is loaded: ${show(element)}`)
        }
        if (element.localName === 'a' && /^(javascript|data|vbscript):/.test(element.protocol ?? '')) found.push(`a link runs: ${show(element)}`)
    }
    return found
}
