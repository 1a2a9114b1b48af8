// Addresses that come from data. Only http and https may become a link; all others are shown as text.

/** The address, if a link may lead there; else undefined, which leaves href out. */
export function safeHref(text: string): string | undefined {
  try {
    const { protocol } = new URL(text)
    return protocol === 'http:' || protocol === 'https:' ? text : undefined
  } catch {
    return undefined
  }
}
