// The time that relative times are told by: the server's, as far as it is known, in steps of some seconds.

class Clock {
  #now = $state(Date.now())
  #offset = 0

  constructor() {
    setInterval(() => this.#tick(), 5000)
    document.addEventListener('visibilitychange', () => this.#tick())
  }

  /** Milliseconds since 1970; reading it in a template keeps that up to date. */
  get now() {
    return this.#now
  }

  /** Corrects a viewer's clock that is wrong by more than a few seconds. */
  set(serverTime: string) {
    const offset = Date.parse(serverTime) - Date.now()
    this.#offset = Math.abs(offset) > 5000 ? offset : 0
    this.#tick()
  }

  #tick() {
    this.#now = Date.now() + this.#offset
  }
}

export const clock = new Clock()
