package supervisor

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// stateHibernated is what is told of a program that has no worker but an image.
const stateHibernated = "hibernated"

// sleeperBytes is how much console text is kept of a hibernated program.
const sleeperBytes = 16 << 10

// sleeper is a hibernated program: it has no process, and no control group, and
// takes little memory.
type sleeper struct {
	image.Instance
	console *console    // its lines so far; nil after a restart
	turn    sync.Mutex  // held while it is resumed or ended
	spent   atomic.Bool // its image was used, and it could not be resumed
}

// wakeSleepers makes the hibernated programs known that an earlier supervisor
// left.
func (s *Supervisor) wakeSleepers() {
	if s.cfg.Images == nil {
		return
	}
	for _, in := range s.cfg.Images.Instances() {
		s.asleep[in.ID] = &sleeper{Instance: in}
	}
}

// sleeper finds a hibernated program that is not being resumed.
func (s *Supervisor) sleeper(id string) *sleeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[mp.InstanceID(id)] != nil {
		return nil
	}
	return s.asleep[mp.InstanceID(id)]
}

// sleepers gives the hibernated programs, the longest asleep first.
func (s *Supervisor) sleepers() []*sleeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*sleeper
	for id, sl := range s.asleep {
		if s.live[id] == nil {
			all = append(all, sl)
		}
	}
	slices.SortFunc(all, func(a, b *sleeper) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// sleeping describes the hibernated programs.
func (s *Supervisor) sleeping() (all []*controlpb.Program) {
	for _, sl := range s.sleepers() {
		all = append(all, sl.program())
	}
	return all
}

// linesOf gives a program's console lines, hibernated or not.
func (s *Supervisor) linesOf(id string) (*ring[line], error) {
	sl := s.sleeper(id)
	switch {
	case sl == nil:
		i, err := s.find(id)
		if err != nil {
			return nil, err
		}
		return i.console.lines, nil
	case sl.console == nil:
		none := newRing[line](0, 0)
		none.close()
		return none, nil
	}
	return sl.console.lines, nil
}

// leftAsleep reports whether the worker ended because its program was hibernated.
func (i *instance) leftAsleep() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asleep
}

// putToBed makes an instance's program a hibernated one.
func (s *Supervisor) putToBed(sl *sleeper) {
	sl.console.lines.shrink(sleeperBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asleep[sl.ID] = sl
}

// leaveBed forgets a hibernated program.
func (s *Supervisor) leaveBed(sl *sleeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asleep, sl.ID)
}

// errAsleep is the answer to whatever a hibernated program cannot do.
func errAsleep(id mp.InstanceID) error {
	return fmt.Errorf("%w: resume it first: mpsupervisor resume %s", mp.ErrHibernated, id)
}

// program describes a hibernated program.
func (sl *sleeper) program() *controlpb.Program {
	bytes := uint64(sl.Image)
	if sl.spent.Load() {
		bytes = 0
	}
	return &controlpb.Program{
		Id:         string(sl.ID),
		AppId:      string(sl.App),
		Name:       sl.Name,
		Version:    sl.Version,
		Digest:     sl.Package.String(),
		Runtime:    bundle.RuntimeJS,
		State:      stateHibernated,
		Started:    timestamppb.New(sl.Born),
		Calls:      sl.Calls,
		ImageBytes: bytes,
		Hibernated: timestamppb.New(sl.Since),
	}
}

// inspect tells all about a hibernated program.
func (sl *sleeper) inspect() *controlpb.InspectResponse {
	res := &controlpb.InspectResponse{
		Program: sl.program(),
		Limits:  encodeLimits(sl.Limits),
		Exports: sl.Exports,
		Entry:   sl.Entry,
		Usage:   &controlpb.Usage{},
		Channel: &controlpb.Channel{},
	}
	if sl.console != nil {
		res.Usage.LogLines, res.Usage.LogDropped = sl.console.counts()
	}
	return res
}

// lateInstance is a hibernated program as one that was killed.
func (s *Supervisor) lateInstance(sl *sleeper) *instance {
	p := program{
		pack: &pack{Package: &bundle.Package{Digest: sl.Package}}, role: launch.RoleJS,
		app: sl.App, name: sl.Name, version: sl.Version, entry: sl.Entry,
	}
	i := newInstance(s, p, sl.Limits, s.current())
	i.id, i.began, i.calls, i.exports = sl.ID, sl.Born, sl.Calls, sl.Exports
	if sl.console != nil {
		i.console.follow(sl.console)
	}
	i.console.close(time.Now())
	i.state, i.endTime = ended, time.Now()
	i.exit = mp.Exit{Cause: mp.CauseKilled, Detail: "it was hibernated"}
	close(i.dead)
	close(i.done)
	return i
}

// killSleeper ends a hibernated program: what is kept of it goes.
func (s *Supervisor) killSleeper(sl *sleeper) (*controlpb.Exit, error) {
	if !sl.turn.TryLock() {
		return nil, fmt.Errorf("%w: %s is just being resumed", control.ErrBusy, sl.ID)
	}
	defer sl.turn.Unlock()
	if s.sleeper(string(sl.ID)) != sl {
		return nil, fmt.Errorf("%w: %s was just resumed or ended", control.ErrBusy, sl.ID)
	}
	if err := s.cfg.Images.Drop(sl.ID); err != nil {
		return nil, fmt.Errorf("cannot remove a hibernated program: %w", err)
	}
	i := s.lateInstance(sl)
	s.leaveBed(sl)
	s.remember(i)
	s.tellEnd(i)
	return control.EncodeExit(i.result()), nil
}
