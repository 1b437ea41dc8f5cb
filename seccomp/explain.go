package seccomp

// Row is one line of the printed table.
type Row struct {
	Syscall   string `json:"syscall"`
	Arguments string `json:"arguments,omitempty"`
	Action    string `json:"action"`
	Reason    string `json:"reason"`
	Logged    bool   `json:"logged,omitempty"` // the kernel tells of it
}

// Explain gives a role's table in words, for people. Its last rows say what
// happens to everything else.
func Explain(role Role) ([]Row, error) {
	rules, err := Table(role)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(rules)+5)
	for _, r := range rules {
		rows = append(rows, Row{r.Syscall, r.conditions(), r.Action.String(), r.Reason, told(role, r.Action) && !r.Quiet})
	}
	return append(rows, others(role)...), nil
}

// told reports whether the kernel tells of an action that a role's filters
// take, where no row keeps it quiet.
func told(role Role, a Action) bool {
	return a == KillProcess || a != Allow && Logs(role)
}

func others(role Role) (rows []Row) {
	add := func(syscall, args string, a Action, reason string) {
		rows = append(rows, Row{syscall, args, a.String(), reason, told(role, a)})
	}
	if Otherwise(role) != Default(role) {
		add("(any named above)", "any other", Otherwise(role), "a role has what it needs and nothing else; the kernel's audit record names the call")
		add("(any other)", "", Default(role), "calls that are newer than this table: programs fall back to older ones")
	} else {
		add("(any other)", "", Default(role), "a role has what it needs and nothing else; the kernel's audit record names the call")
	}
	add("(32-bit entry)", "", KillProcess, "its numbers mean other calls, and its code is less tested")
	add("(x32 entry)", "", KillProcess, "the same")
	return append(rows, Row{Syscall: "(uprobe, uretprobe)", Action: "none",
		Reason: "newer kernels on x86-64 answer these two before any filter; they do nothing outside a page that the kernel makes for a probe"})
}
