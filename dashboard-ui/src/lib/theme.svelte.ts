// The theme: what the viewer chose, else what the system says, and the accent colour of the org in it.
import { accentTokens } from './accent'

export type ThemeChoice = 'system' | 'light' | 'dark'

const key = 'callboard.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(key)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

class Theme {
  choice = $state<ThemeChoice>(stored())
  #systemDark = $state(systemDark.matches)
  #accent = $state<string | null>(null)

  /** What is shown now. Charts read it, to draw again when it changes. */
  shown = $derived<'light' | 'dark'>(this.choice === 'system' ? (this.#systemDark ? 'dark' : 'light') : this.choice)
  /** Changes with everything that changes colours. */
  version = $derived(`${this.shown} ${this.#accent ?? ''}`)

  constructor() {
    systemDark.addEventListener('change', (event) => {
      this.#systemDark = event.matches
      this.#show()
    })
  }

  choose(choice: ThemeChoice) {
    this.choice = choice
    try {
      if (choice === 'system') localStorage.removeItem(key)
      else localStorage.setItem(key, choice)
    } catch {
      // It holds until the page is left.
    }
    this.#show()
  }

  /** Sets the org's colour, #rrggbb; null is Callboard's own. */
  brand(accent: string | null) {
    this.#accent = accent
    this.#show()
  }

  #show() {
    const root = document.documentElement
    root.dataset.theme = this.shown
    for (const [name, value] of Object.entries(accentTokens(this.#accent, this.shown))) {
      if (value === null) root.style.removeProperty(name)
      else root.style.setProperty(name, value)
    }
  }
}

export const theme = new Theme()
