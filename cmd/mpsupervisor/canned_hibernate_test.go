package main

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func (c canned) Hibernate(_ context.Context, r *controlpb.HibernateRequest) (*controlpb.HibernateResponse, error) {
	c.deeds.add("hibernate " + r.GetId())
	return &controlpb.HibernateResponse{ImageBytes: 3 << 20, StateBytes: 7, Took: durationpb.New(1)}, nil
}

func (c canned) Resume(_ context.Context, r *controlpb.ResumeRequest) (*controlpb.ResumeResponse, error) {
	c.deeds.add("resume " + r.GetId())
	if r.GetId() == running.GetId() {
		return &controlpb.ResumeResponse{Image: "instance"}, nil
	}
	return &controlpb.ResumeResponse{Image: "prelude", Reason: evil, Exit: ended2.GetExit()}, nil
}

// What hibernate and resume did is printed, for people and for programs.
func TestHibernateCommands(t *testing.T) {
	for _, tt := range []struct{ args, did, want string }{
		{"hibernate abcd", "hibernate abcdefghijkm", "abcdefghijkm  hibernated  3.0 MiB\n"},
		{"hibernate abcd -o json", "hibernate abcdefghijkm", `[{"id":"abcdefghijkm","state":"hibernated","image_bytes":3145728,"state_bytes":7}]`},
		{"resume abcd", "resume abcdefghijkm", "abcdefghijkm  running"},
		{"resume abzz", "resume abzzzzzzzzzz", "abzzzzzzzzzz  ended: exited with code 3  began anew: " + safe},
		{"resume abcd -o json", "resume abcdefghijkm", `[{"id":"abcdefghijkm","state":"running","image":"instance","reason":"","exit":null}]`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var d deeds
			o := invoke(serveWatched(t, &d), "", strings.Fields(tt.args)...)
			if o.status != 0 || !strings.Contains(o.out, tt.want) || strings.Join(d.all(), ", ") != tt.did {
				t.Errorf("status %d, errors %q, did %v, output\n%s\nwant in it\n%s", o.status, o.err, d.all(), o.out, tt.want)
			}
			expectTame(t, o)
		})
	}
}

func TestHibernateCommandsFail(t *testing.T) {
	var d deeds
	socket := serveWatched(t, &d)
	for args, want := range map[string]string{
		"hibernate x abcd": "cannot hibernate: program x: not found",
		"resume x":         "cannot resume: program x: not found",
		"resume":           "requires at least 1 arg",
	} {
		if o := invoke(socket, "", strings.Fields(args)...); o.status == 0 || !strings.Contains(o.err, want) {
			t.Errorf("%s: %+v", args, o)
		}
	}
	if did := strings.Join(d.all(), ", "); did != "hibernate abcdefghijkm" {
		t.Errorf("did %q, want what could be done", did)
	}
}

func TestCompletesForHibernateCommands(t *testing.T) {
	socket := serveCanned(t)
	for _, command := range []string{"hibernate", "resume"} {
		if o := invoke(socket, "", "__complete", command, ""); !strings.Contains(o.out, "abcdefghijkm\t"+safe) || strings.Contains(o.out, "abzzzzzzzzzz") {
			t.Errorf("%s: %+v", command, o)
		}
	}
}
