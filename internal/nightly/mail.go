package nightly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tallyman/internal/mail"
)

// letter is an e-mail that is to be sent. It stands in data_dir/mail until a server has taken it.
type letter struct {
	Run     string   `json:"run"`
	Report  string   `json:"report"` // the directory whose page and workbook are sent
	Date    string   `json:"date"`   // business date
	Reasons []string `json:"reasons"`
}

// maxAttached is the largest workbook that is attached, in bytes; mail servers refuse much more.
const maxAttached = 15 << 20

// lettersDir is the directory of what is to be sent.
func lettersDir(dataDir string) string { return filepath.Join(dataDir, "mail") }

func (n *Night) letters() string { return lettersDir(n.config.DataDir) }

// waitingLetters returns what is still to be sent, oldest first, but what cannot be read: the next pass says so.
func waitingLetters(dataDir string) ([]letter, error) {
	entries, err := os.ReadDir(lettersDir(dataDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the mail to be sent: %w", err)
	}
	var waiting []letter
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(lettersDir(dataDir), e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // sent meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("read the mail to be sent: %w", err)
		}
		var l letter
		if !strings.HasPrefix(e.Name(), ".") && json.Unmarshal(text, &l) == nil {
			waiting = append(waiting, l)
		}
	}
	return waiting, nil
}

// WaitingMail names the reports that are still to be sent by mail, oldest first.
func WaitingMail(dataDir string) ([]string, error) {
	letters, err := waitingLetters(dataDir)
	names := []string{}
	for _, l := range letters {
		names = append(names, fmt.Sprintf("the report for %s (%s)", l.Date, filepath.Base(l.Report)))
	}
	return names, err
}

// mail sends the report, and what earlier runs could not send.
func (n *Night) mail(ctx context.Context, result *Result) error {
	if n.config.Notify.SMTP.Address == "" || n.options.DryRun {
		return nil
	}
	if result.Report != nil {
		if err := n.writeLetter(result.Report); err != nil {
			return err
		}
	}
	return n.sendLetters(ctx, result)
}

// writeLetter puts the report's e-mail where it waits to be sent.
func (n *Night) writeLetter(r *Report) error {
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	text, err := json.Marshal(letter{Run: n.id, Report: dir, Date: r.Summary.BusinessDate, Reasons: r.Reasons})
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	if err := os.MkdirAll(n.letters(), 0o700); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return writeFile(filepath.Join(n.letters(), n.id+".json"), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// sendLetters sends what waits, oldest first. What cannot be sent stays and is said; it never ends the night.
func (n *Night) sendLetters(ctx context.Context, result *Result) error {
	entries, err := os.ReadDir(n.letters())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the mail to be sent: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // left by a killed run while it was being written
		}
		path := filepath.Join(n.letters(), e.Name())
		again, err := n.sendLetter(ctx, path)
		if err != nil {
			result.Faults = append(result.Faults, err.Error())
		}
		if again {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove sent mail: %w", err)
		}
	}
	return nil
}

// sendLetter sends one e-mail. again says that it is to be tried the next time.
func (n *Night) sendLetter(ctx context.Context, path string) (again bool, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return true, fmt.Errorf("read mail: %w", err)
	}
	var l letter
	if err := json.Unmarshal(text, &l); err != nil {
		return false, fmt.Errorf("the mail in %s cannot be read and is dropped: %w", path, err)
	}
	m, err := n.compose(l)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("the report for %s is no longer there, so its mail is dropped: %w", l.Date, err)
	}
	if err != nil {
		return true, err
	}
	s := n.config.Notify.SMTP
	server := mail.Server{Address: s.Address, TLS: s.TLS, Username: s.Username, Password: s.Password.Reveal(), Roots: n.options.MailRoots}
	if err := server.Send(ctx, m); err != nil {
		return true, fmt.Errorf("the report for %s could not be sent by mail and will be next time: %w", l.Date, err)
	}
	n.log.Info("sent the report by mail", "date", l.Date, "recipients", len(s.To))
	return false, nil
}

// compose writes the e-mail: the page as its body, the workbook attached. The subject says no more than whose report it
// is, of which date, and whether all is right.
func (n *Night) compose(l letter) (mail.Message, error) {
	verdict := "all right"
	if len(l.Reasons) > 0 {
		verdict = "not all right"
	}
	s := n.config.Notify.SMTP
	m := mail.Message{
		From: s.From, To: s.To, Subject: fmt.Sprintf("%s %s: %s", n.config.Merchant, l.Date, verdict),
		ID: l.Run + "@" + n.config.Merchant + ".tallyman", Date: n.options.Now(),
	}
	text := []string{m.Subject, ""}
	for _, reason := range l.Reasons {
		text = append(text, "- "+reason)
	}
	if page, err := os.ReadFile(filepath.Join(l.Report, PageFile)); err == nil {
		m.HTML = string(page)
	} else if !errors.Is(err, fs.ErrNotExist) || !exists(filepath.Join(l.Report, "summary.json")) {
		return m, fmt.Errorf("write mail: %w", err)
	}
	workbook := filepath.Join(l.Report, WorkbookFile)
	switch info, err := os.Stat(workbook); {
	case err != nil:
	case info.Size() > maxAttached:
		text = append(text, fmt.Sprintf("The workbook is too large for mail (%d MB): it is %s.", info.Size()>>20, workbook))
	default:
		m.Attachments = append(m.Attachments, workbook)
	}
	text = append(text, "The whole report: "+l.Report)
	m.Text = strings.Join(text, "\n") + "\n"
	return m, nil
}
