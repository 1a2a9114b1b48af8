// Short notes at the page's edge, read out by screen readers.
import { ApiError, isAbort } from '../api/client'

/** doing is what failed, or was done. */
export type Toast = { id: number; tone: 'success' | 'fail'; text: string; doing?: string }

class Toasts {
  all = $state.raw<Toast[]>([])
  #last = 0

  /** What failed before of the same doing has now been done: it is not shown any more. */
  success(text: string, doing?: string) {
    this.over(doing)
    this.#add({ tone: 'success', text, doing }, 5000)
  }

  /** Takes away what is told of something that failed, such as when it is tried again. */
  over(doing: string | undefined) {
    if (doing !== undefined) this.all = this.all.filter((toast) => toast.tone !== 'fail' || toast.doing !== doing)
  }

  /**
   * Shows what went wrong; an error of the API says it in its own words. It stays until it is closed, fails again, or has
   * been done: success, or over, with the same doing.
   */
  fail(error: unknown, doing?: string) {
    if (isAbort(error)) return
    const text = typeof error === 'string' ? error : ApiError.from(error).message
    this.over(doing)
    this.#add({ tone: 'fail', text: doing ? `${doing}: ${text}` : text, doing })
  }

  close(id: number) {
    this.all = this.all.filter((toast) => toast.id !== id)
  }

  #add(toast: Omit<Toast, 'id'>, forMs?: number) {
    const id = ++this.#last
    this.all = [...this.all.slice(-3), { id, ...toast }]
    if (forMs !== undefined) setTimeout(() => this.close(id), forMs)
  }
}

export const toasts = new Toasts()
