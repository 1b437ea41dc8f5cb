package supervisor

import (
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// TestDefaultSoftLimit holds that the default soft limit of memory refuses no
// program that asks for less memory, and that one that was asked for is checked.
func TestDefaultSoftLimit(t *testing.T) {
	s := Settings{Default: mp.DefaultLimits(), Max: mp.MaxLimits()}
	s.Default.MemorySoft = 60 << 20
	for _, tt := range []struct {
		name     string
		manifest bundle.Limits
		asked    *controlpb.Limits
		want     int64 // 0 is an error
	}{
		{"as it is", bundle.Limits{}, nil, 60 << 20},
		{"less by the manifest", bundle.Limits{Memory: ptr(int64(32 << 20))}, nil, 32 << 20},
		{"less by the caller", bundle.Limits{}, &controlpb.Limits{MemoryBytes: ptr(int64(32 << 20))}, 32 << 20},
		{"more by the manifest", bundle.Limits{Memory: ptr(int64(128 << 20))}, nil, 60 << 20},
		{"its own", bundle.Limits{Memory: ptr(int64(32 << 20)), MemorySoft: ptr(int64(20 << 20))}, nil, 20 << 20},
		{"its own, too much", bundle.Limits{Memory: ptr(int64(32 << 20)), MemorySoft: ptr(int64(33 << 20))}, nil, 0},
		{"asked for, too much", bundle.Limits{Memory: ptr(int64(32 << 20))}, &controlpb.Limits{MemorySoftBytes: ptr(int64(33 << 20))}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := effective(s, tt.manifest, tt.asked)
			if (err != nil) != (tt.want == 0) || err == nil && l.MemorySoft != tt.want {
				t.Errorf("soft limit %d, %v; want %d", l.MemorySoft, err, tt.want)
			}
		})
	}
}
