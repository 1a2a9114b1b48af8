// What is typed and not saved yet, and the question before it is lost. The router asks it before links and steps through
// the history lead away, tabs that hold a form ask it themselves, and the browser asks in its own words before it closes
// or loads the page.
import { confirm } from './confirm.svelte'

type Form = { dirty: () => boolean; what: () => string }

class Unsaved {
  #forms = new Set<Form>()

  constructor() {
    window.addEventListener('beforeunload', (event) => {
      if (this.any) event.preventDefault()
    })
  }

  /** Belongs into the script of a form: dirty says whether something would be lost, what says it in words. */
  watch(dirty: () => boolean, what: () => string = () => '') {
    $effect(() => {
      const form = { dirty, what }
      this.#forms.add(form)
      return () => this.#forms.delete(form)
    })
  }

  get any(): boolean {
    return [...this.#forms].some(({ dirty }) => dirty())
  }

  /** Whether nothing would be lost, or the viewer agreed that it is. */
  mayLeave = async (): Promise<boolean> => {
    if (!this.any) return true
    const words = [...this.#forms].filter(({ dirty }) => dirty()).map(({ what }) => what()).filter(Boolean).join(', ')
    return confirm.ask({
      title: 'Leave without saving?',
      text: words ? `This is changed and not saved yet: ${words}.` : 'What you typed here is not saved yet.',
      action: 'Leave without saving', danger: true, cancel: 'Stay here',
    })
  }
}

export const unsaved = new Unsaved()
