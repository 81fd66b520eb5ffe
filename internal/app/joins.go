package app

import (
	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// partyGoods tells party what it must know of products: the two stand on one floor.
type partyGoods struct{ goods *catalog.Service }

func (g partyGoods) Goods(tx *db.Tx, ids []id.ID) (map[id.ID]party.Good, error) {
	products, err := g.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[id.ID]party.Good, len(products))
	for i, p := range products {
		one := party.Good{Code: p.Code, Name: p.Name, BaseUnit: p.BaseUnit}
		for _, u := range p.Units {
			if !u.Retired {
				one.Units = append(one.Units, u.Qty())
			}
		}
		found[i] = one
	}
	return found, nil
}
