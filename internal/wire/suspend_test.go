package wire

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// What must not cross is refused on both ends.
func TestSuspendRefuses(t *testing.T) {
	image := nativeBoot(&Native{Args: []string{"sh"}})
	image.Image = true
	for name, m := range map[string]Message{
		"no kind":              &Suspend{},
		"another kind":         &Suspend{Kind: "prelude"},
		"long reason":          &Suspended{Refused: strings.Repeat("x", MaxName+1)},
		"image of a native":    image,
		"long image of Booted": &Booted{Image: strings.Repeat("x", MaxName+1)},
		"long build":           &Sealed{Build: strings.Repeat("x", MaxName+1)},
	} {
		if _, err := MarshalReply(m); err == nil {
			t.Errorf("%s: sent", name)
		}
		if err := Unmarshal(encode(t, m), fresh(m)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSuspendRoundTrip(t *testing.T) {
	for _, m := range []Message{
		&Suspend{Kind: mp.ImageReady}, &Suspend{Kind: mp.ImageInstance},
		&Suspended{}, &Suspended{Refused: "impure"},
		&Booted{Image: Restored},
		&Sealed{Image: "mapped", Build: "a/b/c/d"},
		&Boot{Heap: 1, TurnMillis: 1, ResultBytes: 1, Image: true, Digest: mp.Digest{1, 2}},
	} {
		b, err := MarshalReply(m)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		got := fresh(m)
		if err := Unmarshal(b, got); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if m, ok := m.(*Sealed); ok && m.Locks == nil {
			got.(*Sealed).Locks = nil // nil and empty are one on the wire
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%T: got %+v, want %+v", m, got, m)
		}
	}
}
