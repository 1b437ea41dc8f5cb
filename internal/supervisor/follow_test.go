package supervisor

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func TestFollow(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	stream, err := r.client.Logs(context.Background(), &controlpb.LogsRequest{Id: id, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for n := range 3 {
		if _, err := r.call(id, "print", fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
		if !stream.Receive() || stream.Msg().GetText() != fmt.Sprint(n) {
			t.Fatalf("received %v, %v", stream.Msg(), stream.Err())
		}
	}
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if stream.Receive() || stream.Err() != nil {
		t.Errorf("after the end: %v, %v", stream.Msg(), stream.Err())
	}
}

func TestEventsFollow(t *testing.T) {
	r := newRig(t)
	stream, err := r.client.Events(context.Background(), &controlpb.EventsRequest{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	r.mustStart()
	r.stop()
	var kinds []string
	var seq uint64
	for stream.Receive() {
		e := stream.Msg()
		if seq++; e.GetSeq() != seq {
			t.Errorf("event %d follows %d", e.GetSeq(), seq-1)
		}
		kinds = append(kinds, e.GetType())
	}
	want := []string{eventPackageAdded, eventStarted, eventRunning, eventDraining, eventEnded}
	if err := stream.Err(); err != nil || !slices.Equal(kinds, want) {
		t.Errorf("events %v, %v", kinds, err)
	}
}
