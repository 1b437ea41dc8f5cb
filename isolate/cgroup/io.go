package cgroup

import (
	"fmt"
	"strconv"
	"strings"
)

// blkio is version 1's controller for disks. A host may lack it: then a limit
// for disks is an error, and everything else goes on.
const blkio = "blkio"

// The files of version 1's throttling (cgroup-v1/blkio-controller.rst). It
// holds back reads and direct writes; what is written through the page cache is
// nobody's there, and held back in version 2 alone.
var throttles1 = []string{"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device"}

func (p *plan) io1(l Limits) {
	for _, name := range throttles1 {
		p.throttle(blkio, name, l.IORate, func(disk string, rate int64) string {
			return fmt.Sprintf("%s %d", disk, rate) // 0 takes the limit away
		})
	}
	p.share(blkio, weights1, l.IOWeight)
}

func (p *plan) io2(l Limits) {
	p.throttle("", "io.max", l.IORate, func(disk string, rate int64) string {
		if rate == 0 {
			return disk + " rbps=max wbps=max"
		}
		return fmt.Sprintf("%s rbps=%d wbps=%d", disk, rate, rate)
	})
	p.share("", weights2, l.IOWeight)
}

// throttle plans the same rate for each disk that is there now, or takes away
// the rates that there are.
func (p *plan) throttle(hierarchy, name string, rate int64, line func(disk string, rate int64) string) {
	var disks []string
	switch {
	case !p.has(hierarchy, name):
		if rate > 0 {
			p.fail(p.missing(hierarchy, name))
		}
	case rate > 0:
		var err error
		if disks, err = realDisks("/sys/block"); err != nil {
			p.fail(err)
		}
	case !p.fresh:
		limited, err := lines(p.group.dirs[hierarchy], name)
		if err != nil {
			p.fail(err)
		}
		for _, l := range limited {
			disks = append(disks, l[0])
		}
	}
	for _, d := range disks {
		p.write(hierarchy, name, line(d, rate))
	}
}

// missing names the controller if nothing of it is there, else the file.
func (p *plan) missing(hierarchy, name string) error {
	controller, _, _ := strings.Cut(name, ".")
	dir := p.group.dirs[hierarchy]
	switch {
	case dir == "":
		return &MissingError{controller, "the version 1 hierarchies"}
	case hierarchy == "" && !exists(dir, "io.max"):
		return &MissingError{controller, dir}
	}
	return &MissingError{name, dir}
}

// weighting is a file for a group's share of a busy disk. Which one there is
// depends on who schedules the disk: the block layer's cost model, BFQ, or CFQ
// before Linux 5.0.
type weighting struct {
	name     string
	usual    int64 // of a group that asks for none
	min, max int64 // what the file takes
}

var (
	weights1 = []weighting{{"blkio.bfq.weight", 100, 1, 1000}, {"blkio.weight", 500, 10, 1000}}
	weights2 = []weighting{{"io.weight", 100, 1, 10000}, {"io.bfq.weight", 100, 1, 1000}}
)

// share plans the weight for disks. Where the file's range is narrower than
// ours, the nearest that it takes: the others keep their proportion.
func (p *plan) share(hierarchy string, files []weighting, weight int64) {
	there := false
	for _, w := range files {
		if !p.has(hierarchy, w.name) {
			continue
		}
		there = true
		p.set(hierarchy, w.name, w.from(weight), strconv.FormatInt(w.usual, 10))
	}
	if !there && weight > 0 {
		p.fail(p.missing(hierarchy, files[0].name))
	}
}

// from gives a weight in the file's measure; 0 stays 0.
func (w weighting) from(weight int64) int64 {
	if weight == 0 {
		return 0
	}
	return min(max(weight*w.usual/usual, w.min), w.max)
}
