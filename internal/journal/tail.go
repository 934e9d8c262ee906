package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockName is the file whose lock a writer holds. It is never deleted: a
// process that waits for the old one would lock a file that is no longer there.
const lockName = "lock"

// endFile decides what the end of a file is that does not end with a record:
// the writer's, which is at it right now, a torn tail, or damage.
//
// A write that a crash tore leaves half a line, and if the disk did not keep
// the order of its blocks, whole lines of rubbish before it. Lines that the
// head knows were synced, so they cannot be torn, only changed.
func (s *scan) endFile(path string, last bool) error {
	torn := s.partial
	switch {
	case torn.known() && !last:
		s.damage.add(Unparsable, torn, "the file ends within this line, and another file goes on")
		s.chain.unreadable(torn)
		return nil
	case torn.known() && s.own && !s.mine:
		busy, err := isLocked(s.path)
		if err != nil {
			return err
		}
		if busy {
			s.notices.add(BeingWritten, torn, "the receiver was writing this line; it counts next time")
			return nil
		}
	}
	if last && s.segment && s.bad.known() && !s.chain.expectsMore() {
		torn = s.bad
		s.damage = s.badDamage
		s.chain.blind = 0
	}
	if !torn.known() {
		return nil
	}
	s.torn = &tail{path: path, offset: torn.offset, size: s.size - torn.offset}
	detail := "the file was cut off or its writer was killed: take it again from where it came"
	if s.segment {
		detail = "run `tallyman journal repair`, or start the receiver, to move them aside"
	}
	s.damage.add(TornTail, torn, "the last %d bytes were never written whole: %s", s.torn.size, detail)
	s.summary.Torn = &Finding{TornTail, torn.file, torn.line, torn.offset, fmt.Sprintf("%d bytes", s.torn.size)}
	return nil
}

// isLocked reports whether a writer holds the journal in dir.
func isLocked(dir string) (bool, error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if err != nil {
		return false, fmt.Errorf("look at journal lock %s: %w", path, err)
	}
	return !free, lock.Close()
}

// moveAside copies what stands from offset on in path into a new file beside
// it, syncs that, and only then cuts it off. It returns the name of the new
// file. Killed in between, it leaves a copy too many, never one too few.
func moveAside(d disk, path string, offset int64, now time.Time) (string, error) {
	from, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("move torn tail aside: %w", err)
	}
	defer from.Close()
	name := path + ".torn-" + now.UTC().Format(stamp)
	to, err := d.create(name)
	if err != nil {
		return "", fmt.Errorf("move torn tail aside: %w", err)
	}
	_, err = io.Copy(to, io.NewSectionReader(from, offset, 1<<62))
	err = errors.Join(err, to.Sync(), to.Close())
	if err == nil {
		err = d.syncDir(filepath.Dir(path))
	}
	if err != nil {
		return "", fmt.Errorf("move torn tail aside to %s: %w", name, errors.Join(err, d.remove(name)))
	}
	if err := d.truncate(path, offset); err != nil {
		return "", fmt.Errorf("cut torn tail off %s: %w", path, err)
	}
	return filepath.Base(name), nil
}
