package formats

import "bytes"

// The quick reader. It knows one way of writing: no white space between tokens, names of small letters, digits and
// underscores, strings of printable ASCII without a backslash, integers of at most 18 digits. Whatever is not written so
// it hands back, unjudged; so it never has to know what an irregular event means.

// maxPlainNames is how many members without a meaning the quick reader keeps apart in one object.
const maxPlainNames = 12

// plainEvent reads the event whose brace stands at at and returns where it ends. ok is false if it is not written
// plainly; f may hold anything then.
func (e *EventReader) plainEvent(text []byte, at int, f *EventFields) (end int, ok bool) {
	if at >= len(text) || text[at] != '{' {
		return 0, false
	}
	*f = EventFields{}
	var seen [len(topNames)]bool
	others := 0
	for i := at + 1; ; i++ {
		quote := plainString(text, i)
		if quote < 0 || quote+2 >= len(text) || text[quote+1] != ':' {
			return 0, false
		}
		name := text[i+1 : quote]
		i = quote + 2
		used := -1
		switch string(name) {
		case "id":
			used, i = topID, plainText(text, i, &f.ID)
		case "type":
			used, i = topType, plainText(text, i, &f.Type)
		case "data":
			if used = topData; text[i] == '{' {
				i = e.plainData(text, i, f)
			} else {
				i = -1
			}
		default:
			if others, ok = e.other(name, others); !ok {
				return 0, false
			}
			i = plainValue(text, i, 1)
		}
		if i < 0 || i >= len(text) || (used >= 0 && seen[used]) {
			return 0, false
		}
		if used >= 0 {
			seen[used] = true
		}
		if text[i] == '}' {
			e.plainEnd(f)
			return i + 1, seen[topType] && seen[topData] && f.Type != nil
		}
		if text[i] != ',' {
			return 0, false
		}
	}
}

// plainEnd judges what was read, as EventParser does.
func (e *EventReader) plainEnd(f *EventFields) {
	f.Problem = firstProblem(f)
	if string(f.Type) == EventAmountApplied && f.Problem == EventFine {
		e.key.identify(f, e.texts[dataID], e.texts[dataPaymentID], e.texts[dataCustomerID])
	} else {
		f.Prints = EventPrints{}
	}
}

// firstProblem returns the first problem of an event without a doubled or mis-cased member.
func firstProblem(f *EventFields) EventProblem {
	switch {
	case len(f.ID) == 0:
		return EventNoID
	case len(f.CustomerID) == 0 && len(f.AccountID) == 0 && len(f.BillID) == 0:
		return EventNamesNobody
	case !f.HasAmount:
		return EventAmountNotInteger
	case f.Amount == 0:
		return EventAmountZero
	case len(f.Currency) == 0:
		return EventNoCurrency
	default:
		return EventFine
	}
}

// other notes a member that nobody uses. ok is false if its name is not plain or came before: doubled members are equal
// as JSON in their order only.
func (e *EventReader) other(name []byte, others int) (more int, ok bool) {
	if others == maxPlainNames || !plainName(name) {
		return others, false
	}
	for _, earlier := range e.names[:others] {
		if bytes.Equal(earlier, name) {
			return others, false
		}
	}
	e.names[others] = name
	return others + 1, true
}

// plainText reads a string, or null as nothing, and returns where it ends, or -1.
func plainText(text []byte, at int, to *[]byte) int {
	if text[at] == 'n' {
		if len(text)-at < len("null") || string(text[at:at+len("null")]) != "null" {
			return -1
		}
		return at + len("null")
	}
	quote := plainString(text, at)
	if quote < 0 {
		return -1
	}
	*to = text[at+1 : quote]
	return quote + 1
}

// plainValue passes over any value and returns where it ends, or -1.
func plainValue(text []byte, at, depth int) int {
	if quote := plainString(text, at); quote >= 0 {
		return quote + 1
	}
	end, ok := otherValue(text, at, depth)
	if !ok {
		return -1
	}
	return end
}

// plainData reads the object data and returns where it ends, or -1.
func (e *EventReader) plainData(text []byte, at int, f *EventFields) int {
	if at+1 < len(text) && text[at+1] == '}' {
		return at + 2
	}
	var seen [len(dataNames)]bool
	for i, others := at+1, 0; ; i++ {
		quote := plainString(text, i)
		if quote < 0 || quote+2 >= len(text) || text[quote+1] != ':' {
			return -1
		}
		name := text[i+1 : quote]
		i = quote + 2
		used := dataMember(name)
		switch {
		case used < 0:
			var ok bool
			if others, ok = e.other(name, others); !ok {
				return -1
			}
			i = e.plainOther(text, i, name, f)
		case seen[used]:
			return -1
		default:
			seen[used] = true
			i = e.plainUsed(text, i, used, f)
		}
		if i < 0 || i >= len(text) {
			return -1
		}
		if text[i] == '}' {
			return i + 1
		}
		if text[i] != ',' {
			return -1
		}
	}
}

// dataMember returns which of the members used a name is, or -1.
func dataMember(name []byte) int {
	switch string(name) {
	case "id":
		return dataID
	case "payment_id":
		return dataPaymentID
	case "customer_id":
		return dataCustomerID
	case "account_id":
		return dataAccountID
	case "bill_id":
		return dataBillID
	case "amount":
		return dataAmount
	case "currency":
		return dataCurrency
	case "created_at":
		return dataCreatedAt
	default:
		return -1
	}
}

// plainUsed reads the value of a member that is used and returns where it ends, or -1.
func (e *EventReader) plainUsed(text []byte, at, used int, f *EventFields) int {
	name := &e.key.names[used]
	if used == dataAmount {
		amount, end := plainInteger(text, at)
		if end >= 0 {
			f.Amount, f.HasAmount = amount, true
			f.Prints.Data += name.integer(amount)
		}
		return end
	}
	var created []byte
	to := [...]*[]byte{
		dataID: &f.ObligationID, dataPaymentID: &f.PaymentID, dataCustomerID: &f.CustomerID, dataAccountID: &f.AccountID,
		dataBillID: &f.BillID, dataAmount: nil, dataCurrency: &f.Currency, dataCreatedAt: &created,
	}[used]
	end := plainText(text, at, to)
	if end < 0 {
		return -1
	}
	if *to == nil {
		f.Prints.Data += name.other(e.key, []byte{'n'})
		return end
	}
	hash := e.key.text(*to)
	e.texts[used] = hash
	f.Prints.Data += name.text(hash)
	if used == dataCreatedAt {
		f.CreatedAt, f.HasCreatedAt = plainTime(created)
		switch {
		case !f.HasCreatedAt:
			f.CreatedAt, f.HasCreatedAt = eventTime(string(created))
		case len(created) == len("2006-01-02T15:04:05Z"):
			f.created = created
		}
	}
	return end
}

// plainOther reads the value of a member that nobody uses, which tells two data apart all the same.
func (e *EventReader) plainOther(text []byte, at int, name []byte, f *EventFields) int {
	key := e.key.name(name, 0)
	if quote := plainString(text, at); quote >= 0 {
		f.Prints.Data += key.text(e.key.text(text[at+1 : quote]))
		return quote + 1
	}
	end, ok := otherValue(text, at, 2)
	if !ok {
		return -1
	}
	f.Prints.Data += key.value(e.key, &e.strict.canonical, text[at:end])
	return end
}
