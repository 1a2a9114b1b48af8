package sqlite

// SmallSteps makes a store change its buckets and move its hand-offs on every few
// rows, so that small tests cross those borders.
func SmallSteps(cfg Config) Config {
	cfg.bucketRows, cfg.handoffStep = 3, 5
	return cfg
}
