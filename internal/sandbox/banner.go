package sandbox

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Banner says that this is not Moment, and where everything is. It holds no
// secrets. Show it at every start.
func (s *Sandbox) Banner() string {
	var b strings.Builder
	b.WriteString("tallyman sandbox: this is NOT Moment. It moves no money, and nobody outside this machine can reach it.\n\n")
	for _, line := range [][2]string{
		{"API", s.APIURL() + "  (bearer key in " + filepath.Join(s.opt.Dir, testKeyFile) + ")"},
		{"SFTP", s.SFTPAddress() + "  (user " + s.opt.SFTPUser + ", key " + filepath.Join(s.opt.Dir, userKeyFile) + ")"},
		{"host key", s.HostKeyFingerprint()},
		{"inbox", s.InboxDir() + "  (seen over SFTP as /outgoing)"},
		{"results", s.DeliverDir() + "  (seen over SFTP as /incoming/tallyman)"},
		{"events", "to " + s.WebhookURL() + "  (signed with " + filepath.Join(s.opt.Dir, secretFile) + ")"},
		{"control", s.APIURL() + controlPath},
	} {
		fmt.Fprintf(&b, "  %-9s %s\n", line[0], line[1])
	}
	return b.String()
}
