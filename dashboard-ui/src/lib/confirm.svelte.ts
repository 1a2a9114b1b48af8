// Questions before what cannot be undone: if (await confirm.ask({…})) …

export type Question = { title: string; text: string; action: string; danger?: boolean; typed?: string; /** Of the button that does nothing. */ cancel?: string }

class Confirm {
  question = $state.raw<Question | undefined>(undefined)
  #answer: ((yes: boolean) => void) | undefined

  /** Whether the viewer agreed. typed is a text that must be typed first, for what is worst. */
  ask(question: Question): Promise<boolean> {
    this.answer(false)
    this.question = question
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  answer(yes: boolean) {
    this.question = undefined
    this.#answer?.(yes)
    this.#answer = undefined
  }
}

export const confirm = new Confirm()
