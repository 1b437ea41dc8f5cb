package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/launch/server"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lane"
	"golang.org/x/sys/unix"
)

// fdSupervisor is the inherited end of the socket.
const fdSupervisor = 3

// run takes a lane, serves the supervisor in it, and leaves nothing behind.
func run(o options) (err error) {
	log := slog.Default()
	roles, err := roles(o)
	if err != nil {
		return err
	}
	l, notes, err := lane.Take(o.runDir)
	for _, note := range notes {
		log.Warn("a launcher before this one did not end in order", "found", note)
	}
	if err != nil {
		return err
	}
	conf, err := config(o, l)
	if err != nil {
		return err
	}
	if err := l.Record(lane.Holdings{
		Groups: conf.Groups.Place(), UIDBase: conf.UIDBase, UIDCount: conf.UIDCount * conf.Slots,
	}); err != nil {
		return err
	}
	launcher, err := isolate.Open(conf)
	if err != nil {
		return err
	}
	// Asked to end, it ends in order: the same as when the supervisor goes.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	err = server.Serve(ctx, os.NewFile(fdSupervisor, "supervisor"), server.Config{
		Launcher: launcher,
		Roles:    roles,
		Slots:    o.maxWorkers,
		UIDBase:  conf.UIDBase,
		UIDCount: conf.UIDCount,
		Max:      most(o.maxMemory),
		Log:      log,
	})
	err = errors.Join(err, launcher.Close(), conf.Groups.Remove())
	if err != nil {
		return err // the lane stays recorded: the next launcher sweeps it
	}
	return l.Release()
}

// most are the limits above which no worker gets any. Memory is what an operator
// bounds here; the rest is bound by what can be asked for at all.
func most(memory int64) mp.Limits {
	return mp.Limits{
		Memory: memory, Pids: mp.MaxPids, CPU: mp.MaxCPU, CPUWeight: mp.MaxWeight, IOWeight: mp.MaxWeight,
		TmpBytes: mp.MaxMemory, TmpFiles: mp.MaxTmpFiles, Files: mp.MaxFiles,
		CallTimeout: mp.MaxCallTimeout, LogRate: mp.MaxLogRate, IPCRate: mp.MaxIPCRate,
	}
}

// config gives the lane its part of the host.
func config(o options, l *lane.Lane) (isolate.Config, error) {
	place := cgroup.Own
	if strings.HasPrefix(o.cgroupParent, "/") {
		place = cgroup.At
	}
	parent, err := place(o.cgroupParent)
	if err != nil {
		return isolate.Config{}, isolate.MissingController(err)
	}
	perLane := uint64(o.uidRange) * uint64(o.maxWorkers)
	base := uint64(o.uidBase) + uint64(l.Number)*perLane
	if base+perLane > math.MaxInt32 { // some tools take a user id for a signed number
		return isolate.Config{}, fmt.Errorf("user ids from %d do not fit lane %d: choose a lower --uid-base", o.uidBase, l.Number)
	}
	return isolate.Config{
		StateDir: l.Dir(),
		Groups:   parent.Child(fmt.Sprintf("lane-%d", l.Number)),
		Binary:   o.worker,
		UIDBase:  uint32(base),
		UIDCount: uint32(o.uidRange),
		Slots:    uint32(o.maxWorkers),
	}, nil
}
