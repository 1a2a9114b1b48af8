// Loading for pages: what is read inside of the function decides when it loads again.
import { ApiError, isAbort } from '../api/client'

export class Loaded<T> {
  /** What came last; it stays while it is loaded again and when that fails. */
  data = $state.raw<T | undefined>(undefined)
  error = $state.raw<ApiError | undefined>(undefined)
  loading = $state(true)
  #again = $state(0)

  constructor(fetcher: (signal: AbortSignal) => Promise<T>) {
    let loads = 0
    $effect(() => {
      void this.#again
      const abort = new AbortController()
      const mine = ++loads
      this.loading = true
      fetcher(abort.signal).then(
        (data) => {
          if (mine !== loads) return
          this.data = data
          this.error = undefined
          this.loading = false
        },
        (error: unknown) => {
          if (mine !== loads || isAbort(error)) return
          this.error = ApiError.from(error)
          this.loading = false
        },
      )
      return () => abort.abort()
    })
  }

  /** Loads it again; what is there goes on being shown. */
  reload = () => {
    this.#again++
  }

  /** Shows what an action answered, without a request. */
  set(data: T) {
    this.data = data
    this.error = undefined
  }
}

/**
 * Loads while the component lives. Call it in a component's script:
 *
 *     const endpoint = load((signal) => api.endpoints.get(params.app, params.endpoint, signal))
 *
 * State that the function reads before its first await (params, query) makes it load again when it changes; answers
 * that come too late are dropped. When an earlier load succeeded and a later one fails, data stays beside error.
 */
export function load<T>(fetcher: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  return new Loaded(fetcher)
}
