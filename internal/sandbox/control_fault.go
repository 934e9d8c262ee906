package sandbox

import (
	"errors"
	"fmt"
	"time"
)

// faultRequest is Faults and SFTPFaults as the control surface spells them:
// durations as text, and the faults of file transfers beside the others.
type faultRequest struct {
	Latency       string  `json:"latency,omitzero"`
	Jitter        string  `json:"jitter,omitzero"`
	TooMany       float64 `json:"too_many,omitzero"`
	ErrorBefore   float64 `json:"error_before,omitzero"`
	ErrorAfter    float64 `json:"error_after,omitzero"`
	DropBefore    float64 `json:"drop_before,omitzero"`
	DropAfter     float64 `json:"drop_after,omitzero"`
	Slow          float64 `json:"slow,omitzero"`
	Status        int     `json:"status,omitzero"`
	Unstored      bool    `json:"unstored,omitzero"`
	Drip          string  `json:"drip,omitzero"`
	ShortRead     int     `json:"short_read,omitzero"`
	SFTPDropAfter int64   `json:"sftp_drop_after,omitzero"`
	SFTPDrops     int     `json:"sftp_drops,omitzero"`
}

func (s *Sandbox) postFaults(in faultRequest) (any, error) {
	var errs []error
	span := func(name, text string) time.Duration {
		if text == "" {
			return 0
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q is no duration: write it with a unit, as in 50ms", name, text))
		}
		return d
	}
	f := Faults{
		Latency: span("latency", in.Latency), Jitter: span("jitter", in.Jitter), Drip: span("drip", in.Drip),
		TooMany: in.TooMany, ErrorBefore: in.ErrorBefore, ErrorAfter: in.ErrorAfter,
		DropBefore: in.DropBefore, DropAfter: in.DropAfter, Slow: in.Slow,
		Status: in.Status, Unstored: in.Unstored,
	}
	files := SFTPFaults{ShortRead: in.ShortRead, DropAfter: in.SFTPDropAfter, Drops: in.SFTPDrops}
	if err := errors.Join(errors.Join(errs...), f.Check(), files.Check()); err != nil {
		return nil, err
	}
	if err := errors.Join(s.SetFaults(f), s.SetSFTPFaults(files)); err != nil {
		return nil, err
	}
	return s.showFaults(), nil
}

func (s *Sandbox) showFaults() faultRequest {
	f, files := s.Faults(), s.files.faults.get()
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	return faultRequest{
		Latency: text(f.Latency), Jitter: text(f.Jitter), Drip: text(f.Drip),
		TooMany: f.TooMany, ErrorBefore: f.ErrorBefore, ErrorAfter: f.ErrorAfter,
		DropBefore: f.DropBefore, DropAfter: f.DropAfter, Slow: f.Slow,
		Status: f.Status, Unstored: f.Unstored,
		ShortRead: files.ShortRead, SFTPDropAfter: files.DropAfter, SFTPDrops: files.Drops,
	}
}
