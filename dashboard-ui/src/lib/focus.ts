// The keyboard's place. What has the focus may go away, such as a button that took its own row away: without this the focus
// would be nowhere, and whoever listens to the page would hear nothing and begin at its top.

// Where the focus may go instead: the nearest of these around what went away. What is behind a dialog cannot have it.
const places = '[role=tabpanel], main'

/** Keeps the focus within the page from now on. */
export function keepFocus() {
  let around: Element[] = []
  document.addEventListener('focusin', (event) => (around = ancestors(event.target as Element)))
  document.addEventListener('focusout', ({ target }) => {
    // Who leaves by a click on nothing in particular wants to be nowhere.
    setTimeout(() => {
      if ((target as Element).isConnected && document.activeElement === document.body) around = []
    })
  })
  new MutationObserver(() => {
    if (around.length === 0 || around[0]!.isConnected || document.activeElement !== document.body) return
    const dialog = [...document.querySelectorAll('dialog[open]')].at(-1)
    const place = dialog?.querySelector('button') ?? around.find((element) => element.isConnected && element.matches(places)) ?? document.querySelector('main')
    if (place instanceof HTMLElement) place.focus({ preventScroll: true })
  }).observe(document.body, { childList: true, subtree: true })
}

function ancestors(element: Element): Element[] {
  const all: Element[] = []
  for (let at: Element | null = element; at !== null; at = at.parentElement) all.push(at)
  return all
}
