package main

import (
	"context"
	"time"

	"github.com/callboard/callboard/bench/internal/proc"
)

// throughput alternates between the bare loop and the service, so that a machine whose speed drifts slows both.
func (b *bench) throughput(ctx context.Context) (*figures, error) {
	round := b.duration / time.Duration(b.rounds)
	bare := max(round/2, b.timing.bare/2)
	if err := b.warmBare(); err != nil {
		return nil, err
	}
	if _, err := b.warmUpService(ctx, 0); err != nil {
		return nil, err
	}
	for i := range b.rounds {
		if err := b.bareRound(bare); err != nil {
			return nil, err
		}
		finish := func() error { return nil }
		if i == 0 {
			finish = b.profile(ctx, round, "")
		}
		cfg := b.loadConfig()
		cfg.Duration = round
		before := b.window
		if err := b.measure(ctx, cfg, b.slots, &b.window); err != nil {
			return nil, err
		}
		if err := finish(); err != nil {
			return nil, err
		}
		b.progress("service: %.0f deliveries/s", float64(b.window.report.Delivered-before.report.Delivered)/
			(b.window.elapsed-before.elapsed).Seconds())
	}
	if err := b.bareRound(bare); err != nil {
		return nil, err
	}
	return b.figures()
}

// latency posts at a fixed rate.
func (b *bench) latency(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	if _, err := b.warmUpService(ctx, b.rate); err != nil {
		return nil, err
	}
	finish := b.profile(ctx, b.duration, "")
	b.progress("posting %.0f messages/s", b.rate)
	cfg := b.loadConfig()
	cfg.Duration, cfg.Rate = b.duration, b.rate
	if err := b.measure(ctx, cfg, b.slots, &b.window); err != nil {
		return nil, err
	}
	if err := finish(); err != nil {
		return nil, err
	}
	return b.figures()
}

// bareBeforehand measures the bare loop once, for the scenarios in which it is only a mark of the machine's speed.
func (b *bench) bareBeforehand() error {
	if err := b.warmBare(); err != nil {
		return err
	}
	return b.bareRound(b.timing.bare)
}

// hangingFigures compares the healthy endpoints without and with a neighbour that hangs.
type hangingFigures struct {
	Without figure `json:"others_first_byte_p99_without_ms"`
	With    figure `json:"others_first_byte_p99_with_ms"`
	Ratio   figure `json:"p99_ratio"`
	Rate    figure `json:"messages_per_s"`
}

// hanging measures 19 endpoints twice, the second time while the twentieth takes deliveries and never answers.
func (b *bench) hanging(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	if _, err := b.warmUpService(ctx, b.rate); err != nil {
		return nil, err
	}
	last := len(b.slots) - 1
	others := b.slots[:last]
	var without window
	b.progress("all %d endpoints healthy, %.0f messages/s", len(b.slots), b.rate)
	cfg := b.loadConfig()
	cfg.Duration, cfg.Rate = b.duration, b.rate
	// All slots here, so that nothing of this half is under way in the next.
	if err := b.measure(ctx, cfg, b.slots, &without); err != nil {
		return nil, err
	}
	var hangs bool
	if err := b.sink.Call("hang", hangRequest{b.slots[last], true}, &hangs); err != nil {
		return nil, err
	}
	b.progress("one of them hangs")
	finish := b.profile(ctx, b.duration, "")
	cfg.First = b.next
	if err := b.measure(ctx, cfg, others, &b.window); err != nil {
		return nil, err
	}
	if err := finish(); err != nil {
		return nil, err
	}
	if err := b.sink.Call("hang", hangRequest{b.slots[last], false}, &hangs); err != nil {
		return nil, err
	}
	b.window.report.Lost += without.report.Lost
	f, err := b.figures()
	if err != nil {
		return nil, err
	}
	p99Without, p99With := without.arrival.Millis(0.99), b.window.arrival.Millis(0.99)
	f.Hanging = &hangingFigures{figure(p99Without), figure(p99With), figure(p99With / p99Without), figure(b.rate)}
	return f, nil
}

// memory is the service's resident memory in MB, now and at its highest.
func (b *bench) memory() (now, peak figure, err error) {
	m, err := proc.RSS(b.service.cmd.Process.Pid)
	return figure(float64(m.Now) / (1 << 20)), figure(float64(m.Peak) / (1 << 20)), err
}
