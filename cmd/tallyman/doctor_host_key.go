package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tallyman/internal/mailbox"
)

// hostKeyAnswer is what `tallyman doctor --host-key --json` says.
type hostKeyAnswer struct {
	Address string            `json:"address"`
	Warning string            `json:"warning"`
	Keys    []mailbox.HostKey `json:"keys"`
}

const hostKeyWarning = "a server can show any key: use only those that the biller confirms by another way, such as a call"

// runHostKey shows which keys the server offers. It needs inbox.address and nothing else: who asks has no pin yet.
func runHostKey(ctx context.Context, a *app) error {
	cfg, err := a.config(0)
	if err != nil {
		return err
	}
	address := cfg.Inbox.Address
	if address == "" {
		return usage(errors.New("inbox.address is missing: write it as sftp.example.com:22"))
	}
	keys, err := mailbox.OfferedHostKeys(ctx, address, 0)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return needsPerson(fmt.Errorf("ask for host keys: %w", err))
	}
	answer := hostKeyAnswer{Address: address, Warning: hostKeyWarning, Keys: keys}
	return a.answer(answer, hostKeyText(answer))
}

// hostKeyText can be pasted into the configuration as it is.
func hostKeyText(h hostKeyAnswer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s offers these keys. %s.\n", printable(h.Address), strings.ToUpper(h.Warning[:1])+h.Warning[1:])
	b.WriteString("inbox:\n  host_keys:\n")
	for _, k := range h.Keys {
		fmt.Fprintf(&b, "    - %q # %s\n", k.Fingerprint, printable(k.Type))
	}
	return b.String()
}
