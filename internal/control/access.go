package control

import (
	"fmt"
	"slices"
)

// Role is what a peer may do.
type Role string

// The roles. More will come between these two.
const (
	RoleNone     Role = "none"
	RoleOperator Role = "operator" // everything
)

// Access decides roles. The zero value lets root in and nobody else.
type Access struct {
	Group  string   // the operators' group, as messages name it; "" for none
	GID    uint32   // its number
	Owners []uint32 // further uids that are operators, such as whoever started a run in place
}

// Role gives the role of a peer.
func (a Access) Role(p Peer) Role {
	switch {
	case p.UID == 0, slices.Contains(a.Owners, p.UID), a.Group != "" && p.In(a.GID):
		return RoleOperator
	}
	return RoleNone
}

// hint says how to get the operator role.
func (a Access) hint() string {
	if a.Group == "" {
		return "run as root"
	}
	return fmt.Sprintf("run as root or as a member of group %s", a.Group)
}

// denial is what a refused peer is told.
func (a Access) denial(p Peer) error {
	return fmt.Errorf("%w: uid %d needs the %s role: %s", ErrDenied, p.UID, RoleOperator, a.hint())
}
