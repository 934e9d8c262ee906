package mailbox

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/pkg/sftp"
)

// ErrClosed is the answer of a Mailbox after Close.
var ErrClosed = errors.New("mailbox is closed")

// AlgorithmError says that server and client have no algorithm in common;
// outdated ones (SHA-1, DSA, CBC) are never offered.
type AlgorithmError struct {
	Address string
	Err     error
}

// Error names what could not be agreed upon.
func (e *AlgorithmError) Error() string {
	return fmt.Sprintf("no safe algorithm in common with %s: %s; the biller must enable a current one", e.Address, printable(e.Err.Error()))
}

// Unwrap gives the *ssh.AlgorithmNegotiationError.
func (e *AlgorithmError) Unwrap() error { return e.Err }

// AuthError says that the server refused the login. It is never tried again
// by itself: repeated failures lock accounts.
type AuthError struct {
	Address, User string
	// Keys are the fingerprints of the public keys that were offered.
	Keys []string
	// Tried and Allowed are methods as RFC 4252 names them.
	Tried, Allowed []string
	Err            error

	unsaid bool // the connection broke; that may have been its answer, or the network
}

// Error names user, methods and keys, never a secret.
func (e *AuthError) Error() string {
	text := fmt.Sprintf("%s refused the login of %q", e.Address, e.User)
	if e.unsaid {
		text = fmt.Sprintf("the connection to %s broke during the login of %q: %s", e.Address, e.User, printable(e.Err.Error()))
	}
	if len(e.Tried) > 0 {
		text += ", tried: " + printable(strings.Join(e.Tried, ", "))
	}
	if len(e.Allowed) > 0 {
		text += ", accepted there: " + printable(strings.Join(e.Allowed, ", "))
	}
	if len(e.Keys) > 0 {
		text += ", keys: " + strings.Join(e.Keys, ", ")
	}
	if e.unsaid {
		return text + "; run again; if it stays so, check inbox.user and the password, and that the biller has installed the public key; it is not tried again now, so that the account is not locked"
	}
	return text + "; check inbox.user and the password, and that the biller has installed the public key; it is not tried again, so that the account is not locked"
}

// Unwrap gives the reason in the words of the SSH library.
func (e *AuthError) Unwrap() error { return e.Err }

// KeyError says that a private key, its certificate or the ssh-agent cannot be
// used.
type KeyError struct {
	Path   string
	Reason string
	Remedy string
	Err    error // may be nil
}

// Error says which key, why not, and what to do.
func (e *KeyError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v: %s", e.Path, e.Reason, e.Err, e.Remedy)
	}
	return fmt.Sprintf("%s: %s: %s", e.Path, e.Reason, e.Remedy)
}

// Unwrap gives the cause, if there is one.
func (e *KeyError) Unwrap() error { return e.Err }

// UnreachableError says that there was no connection to be had.
type UnreachableError struct {
	Address string
	Err     error

	again bool // worth another attempt at once
}

// Error says where, why, and what to check.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach the SFTP server %s: %s; check inbox.address, the network and the biller's firewall, then run again", e.Address, printable(e.Err.Error()))
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// OperationError says what the server would not do, with which path. errors.Is
// finds fs.ErrPermission and fs.ErrNotExist in it.
type OperationError struct {
	Op, Path, Address string
	Err               error

	lost bool // the connection broke; what the server did is not known
}

// Error says what, where, why, and what to do.
func (e *OperationError) Error() string {
	return fmt.Sprintf("%s %s on %s: %s; %s", e.Op, e.Path, e.Address, printable(e.Err.Error()), e.remedy())
}

// Unwrap gives the cause.
func (e *OperationError) Unwrap() error { return e.Err }

func (e *OperationError) remedy() string {
	switch {
	case errors.Is(e.Err, fs.ErrPermission):
		return "ask the biller to give the user this right"
	case errors.Is(e.Err, fs.ErrNotExist):
		return "check the path; somebody else may have moved it"
	case unsupported(e.Err):
		return "the server does not offer this operation: ask the biller"
	case e.lost && e.Op == opStart:
		return "run again; if it stays so, ask the biller whether the user may use SFTP"
	case e.lost && e.Op == opList:
		return "run again; if it stays so, the directory may be too large to be listed: have old files moved out of it"
	case e.lost, errors.Is(e.Err, errSilent), errors.Is(e.Err, errSlow):
		return "run again when the connection is better"
	}
	return "see what stands at this path on the server, then run again"
}

// The reasons why the connection was cut from this side.
var (
	errSilent = errors.New("the server has fallen silent")
	errSlow   = errors.New("it took too long")
)

// ownError marks an error that is ours, not the server's, on its way out of a
// remote operation.
type ownError struct{ error }

func (e ownError) Unwrap() error { return e.error }

// transient reports errors that another attempt may cure.
func transient(err error) bool {
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) {
		return unreachable.again
	}
	var operation *OperationError
	return errors.As(err, &operation) && operation.lost
}

// answered reports that err is the server's own answer to a request, so that
// the connection is as good as before.
func answered(err error) bool {
	var status *sftp.StatusError
	// The library itself answers ENOTDIR where a directory is to be made below a file.
	return errors.As(err, &status) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// unsupported reports the answer of a server that does not know a request.
func unsupported(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) && status.FxCode() == sftp.ErrSSHFxOpUnsupported
}
