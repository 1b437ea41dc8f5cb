package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func parseLimits(t *testing.T, args ...string) (*controlpb.Limits, error) {
	t.Helper()
	var l limitFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	l.add(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return l.asked(f), l.check(f)
}

func TestLimitFlags(t *testing.T) {
	if got, err := parseLimits(t); err != nil || !proto.Equal(got, &controlpb.Limits{}) {
		t.Errorf("no flag: %v, %v", got, err)
	}
	got, err := parseLimits(t, "--memory=64M", "--memory-soft=0", "--pids=20", "--cpus=0.5", "--cpu-weight=10", "--io-rate=1M", "--io-weight=0",
		"--tmp-size=4M", "--tmp-files=100", "--files=128", "--log-rate=0", "--ipc-rate=7", "--timeout=2s")
	want := &controlpb.Limits{
		MemoryBytes: proto.Int64(64 << 20), MemorySoftBytes: proto.Int64(0), Pids: proto.Int64(20), Cpu: proto.Float64(0.5),
		CpuWeight: proto.Int64(10), IoRate: proto.Int64(1 << 20), IoWeight: proto.Int64(0), TmpBytes: proto.Int64(4 << 20),
		TmpFiles: proto.Int64(100), Files: proto.Int64(128), LogRate: proto.Int32(0), IpcRate: proto.Int32(7),
		CallTimeout: durationpb.New(2 * time.Second),
	}
	if err != nil || !proto.Equal(got, want) {
		t.Errorf("every flag: %v, %v", got, err)
	}
	for _, bad := range []string{"--memory=0", "--pids=-1", "--cpus=NaN", "--cpu-weight=0", "--tmp-size=0", "--tmp-files=0", "--files=0",
		"--timeout=-1s", "--ipc-rate=0", "--log-rate=-1", "--io-weight=-1"} {
		if _, err := parseLimits(t, bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
