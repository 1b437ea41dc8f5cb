package supervisor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func (r *rig) update(id string, l *controlpb.Limits) (*controlpb.Limits, error) {
	res, err := r.client.Update(context.Background(), &controlpb.UpdateRequest{Id: id, Limits: l})
	return res.GetLimits(), err
}

// enforced are the limits that the launcher was last given for a worker.
func (r *rig) enforced(id string) mp.Limits {
	r.launcher.mu.Lock()
	defer r.launcher.mu.Unlock()
	return r.launcher.limits[mp.InstanceID(id)]
}

func TestUpdate(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Max.Memory = 256 << 20 })
	js := r.mustStart()
	r.launcher.next((&nativeWorker{}).play)
	res, err := r.client.StartFiles(context.Background(), &controlpb.StartRequest{Native: &controlpb.Native{Root: true, Args: []string{"sh"}}}, openDir(t))
	if err != nil {
		t.Fatal(err)
	}
	native := res.GetId()
	for _, tt := range []struct {
		name string
		id   string
		ask  *controlpb.Limits
		say  string // "" is taken
	}{
		{"nothing", js, nil, ""},
		{"what it is", js, &controlpb.Limits{CallTimeout: durationpb.New(5 * time.Second)}, ""},
		{"memory", js, &controlpb.Limits{MemoryBytes: ptr(int64(100 << 20))}, ""},
		{"many", js, &controlpb.Limits{Pids: ptr(int64(40)), Cpu: ptr(0.5), CpuWeight: ptr(int64(50)), IoRate: ptr(int64(1 << 20))}, ""},
		{"above the host's", js, &controlpb.Limits{MemoryBytes: ptr(int64(300 << 20))}, "limits.max.memory"},
		{"out of bounds", js, &controlpb.Limits{Pids: ptr(int64(1))}, "pids limit"},
		{"soft above hard", js, &controlpb.Limits{MemorySoftBytes: ptr(int64(200 << 20))}, "soft memory limit"},
		{"call timeout", js, &controlpb.Limits{CallTimeout: durationpb.New(time.Second)}, "call_timeout cannot change"},
		{"several that cannot", js, &controlpb.Limits{LogRate: ptr(int32(1)), Files: ptr(int64(100)), IpcRate: ptr(int32(9))}, "files, log_rate, ipc_rate cannot change"},
		{"one that can with one that cannot", js, &controlpb.Limits{MemoryBytes: ptr(int64(90 << 20)), LogRate: ptr(int32(1))}, "log_rate cannot change"},
		{"tmp of a js program", js, &controlpb.Limits{TmpBytes: ptr(int64(1 << 20))}, "tmp_bytes cannot change while a js program runs"},
		{"tmp of a native program", native, &controlpb.Limits{TmpBytes: ptr(int64(1 << 20)), TmpFiles: ptr(int64(100))}, ""},
	} {
		_, err := r.update(tt.id, tt.ask)
		if tt.say == "" && err != nil || tt.say != "" && (!errors.Is(err, control.ErrBadRequest) || !strings.Contains(err.Error(), tt.say)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.say)
		}
	}
	if l := r.enforced(js); l.Memory != 100<<20 || l.Pids != 40 || l.CPU != 0.5 || l.CPUWeight != 50 || l.IORate != 1<<20 || l.LogRate != mp.DefaultLimits().LogRate {
		t.Errorf("in force: %+v", l)
	}
	if l := r.enforced(native); l.TmpBytes != 1<<20 || l.TmpFiles != 100 {
		t.Errorf("in force: %+v", l)
	}
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: js})
	if err != nil || in.GetLimits().GetMemoryBytes() != 100<<20 || in.GetLimits().GetIpcRate() != 1000 {
		t.Errorf("inspected: %v, %v", in.GetLimits(), err)
	}
	changed := r.eventsOf(js, eventLimitsChanged)
	if len(changed) != 2 || changed[0]["memory"] != "104857600" || len(changed[0]) != 1 || changed[1]["cpu"] != "0.5" || len(changed[1]) != 4 {
		t.Errorf("events %v", changed)
	}
}

// eventsOf gives the fields of a program's events of one type.
func (r *rig) eventsOf(id, kind string) (all []map[string]string) {
	r.events.each(context.Background(), false, func(e event, _ uint64) error {
		if string(e.ID) == id && e.Type == kind {
			all = append(all, e.Fields)
		}
		return nil
	})
	return all
}

// A frozen program's limits can change; a launcher that refuses changes nothing.
func TestUpdateFrozenAndRefused(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	if err := r.freeze(id); err != nil {
		t.Fatal(err)
	}
	if _, err := r.update(id, &controlpb.Limits{Pids: ptr(int64(40))}); err != nil || r.enforced(id).Pids != 40 {
		t.Errorf("frozen: %v", err)
	}
	r.launcher.mu.Lock()
	r.launcher.refuse = errors.New("the memory is in use")
	r.launcher.mu.Unlock()
	if _, err := r.update(id, &controlpb.Limits{MemoryBytes: ptr(int64(20 << 20))}); err == nil || !strings.Contains(err.Error(), "the memory is in use") {
		t.Errorf("refused: %v", err)
	}
	l, err := r.update(id, nil)
	if err != nil || l.GetMemoryBytes() != 64<<20 || l.GetPids() != 40 {
		t.Errorf("limits %v, %v", l, err)
	}
}
