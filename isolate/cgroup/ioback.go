package cgroup

import (
	"strconv"
	"strings"
)

// ioRate reads back the lowest rate that any disk is limited to, 0 if none is.
func (g *Group) ioRate() (int64, error) {
	if g.l.mode == Unified {
		return lowest(g.dirs[""], "io.max", "rbps=", "wbps=")
	}
	var rate int64
	for _, name := range throttles1 {
		r, err := lowest(g.dirs[blkio], name, "")
		if err != nil {
			return 0, err
		}
		if r > 0 && (rate == 0 || r < rate) {
			rate = r
		}
	}
	return rate, nil
}

// lowest finds the lowest number behind one of the prefixes in lines of
// "MAJOR:MINOR word word".
func lowest(dir, name string, prefixes ...string) (int64, error) {
	limited, err := lines(dir, name)
	if err != nil {
		return 0, err
	}
	var rate int64
	for _, line := range limited {
		for _, word := range line[1:] {
			for _, prefix := range prefixes {
				s, ok := strings.CutPrefix(word, prefix)
				n, err := strconv.ParseInt(s, 10, 64) // not "max"
				if ok && err == nil && (rate == 0 || n < rate) {
					rate = n
				}
			}
		}
	}
	return rate, nil
}

// ioWeight reads back the weight for disks, 0 if nothing weighs them.
func (g *Group) ioWeight() (int64, error) {
	hierarchy, files := blkio, weights1
	if g.l.mode == Unified {
		hierarchy, files = "", weights2
	}
	dir := g.dirs[hierarchy]
	for _, w := range files {
		all, err := lines(dir, w.name)
		if err != nil || len(all) == 0 {
			if err != nil {
				return 0, err
			}
			continue
		}
		n, err := parse(all[0][len(all[0])-1]) // "100" or "default 100"; a line for each disk may follow
		return int64(n) * usual / w.usual, err
	}
	return 0, nil
}
