// Short notes at the page's edge, read out by screen readers.
import { ApiError, isAbort } from '../api/client'

export type Toast = { id: number; tone: 'success' | 'fail' | 'plain'; text: string }

class Toasts {
  all = $state.raw<Toast[]>([])
  #last = 0

  success(text: string) {
    this.#add('success', text, 5000)
  }

  say(text: string) {
    this.#add('plain', text, 5000)
  }

  /** Shows what went wrong; an error of the API says it in its own words. Errors stay until they are closed. */
  fail(error: unknown, doing?: string) {
    if (isAbort(error)) return
    const text = typeof error === 'string' ? error : ApiError.from(error).message
    this.#add('fail', doing ? `${doing}: ${text}` : text)
  }

  close(id: number) {
    this.all = this.all.filter((toast) => toast.id !== id)
  }

  #add(tone: Toast['tone'], text: string, forMs?: number) {
    const id = ++this.#last
    this.all = [...this.all.slice(-3), { id, tone, text }]
    if (forMs !== undefined) setTimeout(() => this.close(id), forMs)
  }
}

export const toasts = new Toasts()
