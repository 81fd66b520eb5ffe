package ledger

import (
	"fmt"
	"sync"
)

type flowName struct {
	book Book
	name string
}

var names = &registry{kinds: map[Kind]string{}, books: map[Book]string{}, flows: map[Account]flowName{}}

type registry struct {
	sync.RWMutex
	kinds map[Kind]string
	books map[Book]string
	flows map[Account]flowName
}

// DefineKind gives a kind of document its number, which is stored, and its name, which is shown. A number
// or a name used twice panics at start. README.md lists who uses which numbers.
func DefineKind(number int16, name string) Kind {
	names.Lock()
	defer names.Unlock()
	for n, s := range names.kinds {
		if n == Kind(number) || s == name {
			panic(fmt.Sprintf("ledger: document kind %d %s meets %d %s", number, name, n, s))
		}
	}
	if number <= 0 {
		panic("ledger: a document kind is above 0")
	}
	names.kinds[Kind(number)] = name
	return Kind(number)
}

// DefineBook gives a book its number and name.
func DefineBook(number int16, name string) Book {
	names.Lock()
	defer names.Unlock()
	for n, s := range names.books {
		if n == Book(number) || s == name {
			panic(fmt.Sprintf("ledger: book %d %s meets %d %s", number, name, n, s))
		}
	}
	if number <= 0 {
		panic("ledger: a book is above 0")
	}
	names.books[Book(number)] = name
	return Book(number)
}

// DefineFlow gives a kind of flow account its number and name; the account is minus the number.
func DefineFlow(number int64, book Book, name string) Account {
	names.Lock()
	defer names.Unlock()
	for a, f := range names.flows {
		if a == Account(-number) || f.name == name {
			panic(fmt.Sprintf("ledger: flow %d %s meets %d %s", number, name, -a, f.name))
		}
	}
	if number <= 0 {
		panic("ledger: a flow is defined by a number above 0")
	}
	names.flows[Account(-number)] = flowName{book, name}
	return Account(-number)
}

func (r *registry) kind(k Kind) (string, bool) {
	r.RLock()
	defer r.RUnlock()
	s, ok := r.kinds[k]
	return s, ok
}

func (r *registry) book(b Book) (string, bool) {
	r.RLock()
	defer r.RUnlock()
	s, ok := r.books[b]
	return s, ok
}

func (r *registry) flow(a Account) (flowName, bool) {
	r.RLock()
	defer r.RUnlock()
	f, ok := r.flows[a]
	return f, ok
}
