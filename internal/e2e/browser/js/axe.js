// Runs axe-core, which is loaded, over the document: the rules that are named, or all.
async function (only) {
    // Rules on frames need a second copy in each frame; a test that has frames checks them by themselves.
    const options = { iframes: false, resultTypes: ['violations'], ...(only?.length && { runOnly: only }) }
    const result = await this.axe.run(this.document, options)
    const most = 10
    const describe = (node) => `${node.target.flat().join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`
    return result.violations.map((v) => ({
        Rule: v.id,
        Impact: v.impact ?? '',
        Help: v.help,
        Nodes: v.nodes.slice(0, most).map(describe).concat(v.nodes.length > most ? [`and ${v.nodes.length - most} more`] : []),
    }))
}
