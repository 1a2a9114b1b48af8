package timer_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/timer"
)

// clockwork is a store whose rows are due once, and what takes their only step. It notes when.
type clockwork struct {
	alarm *timer.Alarm
	stuck bool // no step is ever taken

	mu    sync.Mutex
	rows  []live.Row
	looks int
	fired map[string]time.Duration
	since time.Time
}

func (c *clockwork) DueObjects(_ context.Context, at time.Time, limit int) ([]live.Row, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	var due []live.Row
	for _, row := range c.rows {
		if !row.Due.After(at) {
			due = append(due, row)
		}
	}
	slices.SortStableFunc(due, func(a, b live.Row) int { return a.Due.Compare(b.Due) })
	return due[:min(limit, len(due))], nil
}

func (c *clockwork) Fire(_ context.Context, row live.Row, _ time.Duration) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stuck {
		return false, nil
	}
	c.rows = slices.DeleteFunc(c.rows, func(r live.Row) bool { return r.ID == row.ID })
	c.fired[row.ID] = time.Since(c.since)
	return true, nil
}

// commit adds a row that is due in a while, and says so if this process is the one that does.
func (c *clockwork) commit(id string, in time.Duration, ours bool) {
	row := live.Row{Key: live.Key{Kind: live.Event, ID: id}, Due: time.Now().Add(in)}
	c.mu.Lock()
	c.rows = append(c.rows, row)
	c.mu.Unlock()
	if ours {
		c.alarm.Committed([]live.Row{{}, row})
	}
}

// wind runs a runner that looks once a minute, in virtual time.
func wind(t *testing.T, c *clockwork, test func()) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(*testing.T) {
		c.fired, c.since = map[string]time.Duration{}, time.Now()
		defer start(timer.Config{Store: c, Firer: c, Alarm: c.alarm, Poll: time.Minute, Logger: slog.New(slog.DiscardHandler)})()
		testenv.Advance(time.Second)
		test()
	})
}

// TestAlarm has rows fire when they are due, whatever was heard of before.
func TestAlarm(t *testing.T) {
	c := &clockwork{alarm: &timer.Alarm{}}
	wind(t, c, func() {
		c.commit("late", 20*time.Second, true)
		testenv.Advance(time.Second)
		c.commit("sooner", 3*time.Second, true)
		c.commit("soonest", 2*time.Second, true)
		c.commit("later", 15*time.Second, true)
		testenv.Advance(10 * time.Second)
		c.commit("overdue", -time.Hour, true)
		testenv.Advance(20 * time.Second)
	})
	want := map[string]time.Duration{
		"soonest": 4 * time.Second, "sooner": 5 * time.Second, "overdue": 12 * time.Second, "later": 17 * time.Second, "late": 21 * time.Second,
	}
	if diff := cmp.Diff(want, c.fired); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOthersCommits are found by looking; what is due before the next look fires in time all the same.
func TestOthersCommits(t *testing.T) {
	for name, alarm := range map[string]*timer.Alarm{"with an alarm": {}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			c := &clockwork{alarm: alarm}
			wind(t, c, func() {
				c.commit("now", 0, false)
				testenv.Advance(92 * time.Second) // one look and a half
				c.commit("in three minutes", 3*time.Minute, false)
				testenv.Advance(5 * time.Minute)
			})
			if at := c.fired["now"]; at == 0 || at > 91*time.Second {
				t.Errorf("what was due is found after %v", at)
			}
			// A look that happened to be just before it puts off the next by up to a second.
			if at := c.fired["in three minutes"]; at < 273*time.Second || at > 274*time.Second {
				t.Errorf("what was due after 273 s fired after %v", at)
			}
		})
	}
}

// TestAlarmIsBounded: whatever is committed, and however often, a runner that can do nothing looks now and then only.
func TestAlarmIsBounded(t *testing.T) {
	c := &clockwork{alarm: &timer.Alarm{}, stuck: true}
	wind(t, c, func() {
		c.commit("stuck", -time.Second, true)
		for range 60_000 {
			c.alarm.Committed([]live.Row{{Due: time.Now()}})
			testenv.Advance(time.Millisecond)
		}
	})
	if c.looks < 10 || c.looks > 110 {
		t.Errorf("it has looked %d times in a minute", c.looks)
	}
}

// TestAlarmOfNobody may hear, too.
func TestAlarmOfNobody(t *testing.T) {
	t.Parallel()
	var nobody *timer.Alarm
	nobody.Committed([]live.Row{{Due: time.Now()}})
}
