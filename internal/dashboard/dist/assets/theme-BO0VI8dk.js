// Runs before the first paint, so that a dark page does not flash white. lib/theme.svelte.ts takes over later.
let theme
try {
  theme = localStorage.getItem('callboard.theme')
} catch {
  // Storage is refused in some frames; the system's theme is right then.
}
if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
document.documentElement.dataset.theme = theme
