package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// modeName is the file in the journal's directory that says of which mode of Moment its events are: they do not say it
// themselves (moment-api.md section 11).
const modeName = "MODE"

// ModeError says that a journal holds events of another mode than is configured.
type ModeError struct{ Dir, Journal, Configured string }

func (e *ModeError) Error() string {
	return fmt.Sprintf("the journal %s is of api.mode %q, the configuration says %q: give each its own data_dir, or test events count as money", e.Dir, e.Journal, e.Configured)
}

// BindMode ties a journal to a mode, test or live, and refuses one that is tied to the other with a *ModeError. An empty
// mode is not known, and any journal will do. The directory must be there.
func BindMode(dir, mode string) error {
	bound, err := boundMode(dir)
	if err != nil || mode == "" || bound == mode {
		return err
	}
	if bound != "" {
		return &ModeError{Dir: dir, Journal: bound, Configured: mode}
	}
	return realDisk{}.writeHead(filepath.Join(dir, modeName), []byte(mode+"\n"))
}

// CheckMode refuses a journal of another mode with a *ModeError, and changes nothing. One that is tied to none will do, and
// so will one that is not there.
func CheckMode(dir, mode string) error {
	bound, err := boundMode(dir)
	if err == nil && bound != "" && bound != mode {
		return &ModeError{Dir: dir, Journal: bound, Configured: mode}
	}
	return err
}

func boundMode(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, modeName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the journal's mode: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
