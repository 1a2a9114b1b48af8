package restapi_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/testenv"
)

// TestShelf: a text is written once in a minute, however many ask, and few are kept.
func TestShelf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		get := restapi.Shelf()
		written := 0 // one is written at a time
		write := func(context.Context) (string, error) {
			written++
			time.Sleep(time.Second) //nolint:forbidigo // of the bubble: others ask meanwhile
			return strconv.Itoa(written), nil
		}
		want := func(name, text string) {
			t.Helper()
			if got, err := get(t.Context(), name, write); got != text || err != nil {
				t.Errorf("%s is %q, %v; want %q", name, got, err, text)
			}
		}
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() { want("a", "1") })
		}
		synctest.Wait()
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := get(impatient, "b", write); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone is waited for: %v", err)
		}
		wait.Wait()
		testenv.Advance(58 * time.Second)
		want("a", "1")
		testenv.Advance(2 * time.Second)
		want("a", "2")

		broken := errors.New("broken")
		if _, err := get(t.Context(), "c", func(context.Context) (string, error) { return "", broken }); !errors.Is(err, broken) {
			t.Errorf("a failure is %v", err)
		}
		want("c", "3")
		for i := range 31 {
			want(fmt.Sprint(i), strconv.Itoa(i+4))
		}
		want("c", "3")
		want("a", "35") // it was the oldest
	})
}
