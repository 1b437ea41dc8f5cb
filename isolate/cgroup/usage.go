package cgroup

// Stat reads what the group has used: the part of a Sample that makes a
// record of a worker that has ended.
func (g *Group) Stat() (Usage, error) {
	s, err := g.Sample()
	if err != nil {
		return Usage{}, err
	}
	return Usage{
		CPU: s.CPU, Memory: s.Memory, Peak: s.Peak, Pids: s.Pids,
		Throttled: s.Throttled, OOMKills: s.OOMKills,
	}, nil
}
