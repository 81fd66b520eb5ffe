package supplyday

import (
	"zhanggui/internal/platform/id"
	"zhanggui/internal/replenish"
)

// What safety materials hold for what is made as it sells; replenish works it out.

// materialService is how often a material should be enough at the site, in ten-thousandths.
func (x *situation) materialService(p id.ID) int64 {
	g := x.all.goods[p]
	if g == nil {
		return replenish.DefaultService(replenish.Forever)
	}
	return x.setService(g)
}

func (x *situation) named(p id.ID) (code, name, unit string) {
	g := x.all.goods[p]
	if g == nil {
		return "", "", ""
	}
	return g.Code, g.Name, g.BaseUnit
}
