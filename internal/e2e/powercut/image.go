package powercut

// sector is the unit in which a disk writes or does not.
const sector = 512

// Luck decides about what was not safe: true lets it survive. It is asked once for each name, truncation and sector.
type Luck func() bool

// Worst lets nothing survive that was not safe.
func Worst() bool { return false }

// Best lets everything survive: what is left after a kill instead of a power cut.
func Best() bool { return true }

// Cut gives the directory, contents by name, as the disk may hold it when the power fails at a moment: everything that
// began before it has happened or was under way.
func (t *Trace) Cut(moment int, luck Luck) map[string][]byte {
	contents := map[*file][]byte{}
	names := map[string]*file{}
	for i := range t.changes {
		c := &t.changes[i]
		if c.began >= moment {
			continue
		}
		safe := c.safe < moment
		switch c.kind {
		case write:
			contents[c.file] = c.survive(contents[c.file], safe, luck)
		case truncate:
			if safe || luck() {
				contents[c.file] = resize(contents[c.file], c.offset)
			}
		case create:
			if safe || luck() {
				names[c.file.name] = c.file
			}
		case remove:
			if (safe || luck()) && names[c.file.name] == c.file {
				delete(names, c.file.name)
			}
		}
	}
	files := make(map[string][]byte, len(names))
	for name, f := range names {
		files[name] = contents[f]
	}
	return files
}

// survive applies a write: whole if it is safe, else the sectors that are lucky.
func (c *change) survive(content []byte, safe bool, luck Luck) []byte {
	for begin := 0; begin < len(c.data); {
		at := c.offset + int64(begin)
		end := min(len(c.data), begin+sector-int(at%sector))
		if safe || luck() {
			content = resize(content, max(int64(len(content)), c.offset+int64(end)))
			copy(content[at:], c.data[begin:end])
		}
		begin = end
	}
	return content
}

// resize cuts content or fills it up with zeros.
func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}
