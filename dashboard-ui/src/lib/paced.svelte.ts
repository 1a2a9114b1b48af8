// Loading again while something goes on: often enough to see it, and never so often that loading is all that is done.
import type { Loaded } from './load.svelte'

/**
 * A reload that may be called for every change, in a component's script:
 *
 *     live.onChange(['live'], paced(attendance))
 *
 * It never interrupts a load, and waits between two of them at least leastMs, and nine times as long as the last one took:
 * what is large comes less often.
 */
export function paced(loaded: Loaded<unknown>, leastMs = 1000): () => void {
  let wanted = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let began = 0
  let free = 0 // when the next load may begin

  function next() {
    if (!wanted || timer !== undefined || loaded.loading) return
    timer = setTimeout(() => {
      timer = undefined
      wanted = false
      loaded.reload()
    }, Math.max(0, free - performance.now()))
  }

  $effect(() => {
    const now = performance.now()
    if (loaded.loading) {
      began = now
    } else {
      free = now + Math.max(leastMs, 9 * (now - began))
      next()
    }
  })
  $effect(() => () => clearTimeout(timer))

  return () => {
    wanted = true
    next()
  }
}
