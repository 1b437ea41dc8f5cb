package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// FallbackID is the user and group of a supervisor whose configured account
// does not exist: a number of its own, just below the workers' range, that no
// distribution assigns.
const FallbackID = 1899999999

// User is whom to become.
type User struct {
	Name string // "" for a number without an account
	UID  uint32
	GID  uint32
}

// String gives name and number, for people.
func (u User) String() string {
	if u.Name == "" {
		return strconv.FormatUint(uint64(u.UID), 10)
	}
	return fmt.Sprintf("%s (%d)", u.Name, u.UID)
}

// Lookup finds the account name, which may be a number too. Where there is no
// such account it returns FallbackID, and exists is false.
func Lookup(name string) (u User, exists bool, err error) {
	find := user.Lookup
	if _, err := strconv.ParseUint(name, 10, 32); err == nil {
		find = user.LookupId
	}
	account, err := find(name)
	switch {
	case unknown(err):
		return User{UID: FallbackID, GID: FallbackID}, false, nil
	case err != nil:
		return User{}, false, fmt.Errorf("cannot look up user %q: %w", name, err)
	}
	u, err = fromText(account.Username, account.Uid, account.Gid)
	return u, err == nil, err
}

// LookupGroup gives the number of a group by its name. Where there is no such
// group, exists is false.
func LookupGroup(name string) (gid uint32, exists bool, err error) {
	group, err := user.LookupGroup(name)
	var missing user.UnknownGroupError
	switch {
	case errors.As(err, &missing):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("cannot look up group %q: %w", name, err)
	}
	n, err := strconv.ParseUint(group.Gid, 10, 32)
	if err != nil {
		return 0, false, fmt.Errorf("group %q has number %q: %w", name, group.Gid, err)
	}
	return uint32(n), true, nil
}

// Invoker is the user who called sudo(8), as sudo's variables tell; found is
// false when nobody but root did. Only root may believe these variables: the
// environment of a process is its starter's.
func Invoker() (u User, found bool, err error) {
	uid, gid := os.Getenv("SUDO_UID"), os.Getenv("SUDO_GID")
	if uid == "" || gid == "" || uid == "0" || gid == "0" {
		return User{}, false, nil
	}
	u, err = fromText(os.Getenv("SUDO_USER"), uid, gid)
	if err != nil {
		return User{}, false, fmt.Errorf("cannot tell who called sudo: %w", err)
	}
	return u, true, nil
}

func fromText(name, uid, gid string) (User, error) {
	un, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return User{}, fmt.Errorf("user number: %w", err)
	}
	gn, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return User{}, fmt.Errorf("group number: %w", err)
	}
	return User{Name: name, UID: uint32(un), GID: uint32(gn)}, nil
}

func unknown(err error) bool {
	var name user.UnknownUserError
	var id user.UnknownUserIdError
	return errors.As(err, &name) || errors.As(err, &id)
}
