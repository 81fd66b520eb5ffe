package sim

import (
	"strconv"
	"strings"
)

// The demo chain's range: what a fresh-food counter in a Chinese convenience store sells, and what it is
// made of. All names, prices and recipes are invented for the demo.

// A finished product: code, name, price in fen, life in hours, batch size, mean pieces a day in a store
// of average size, day profile, weather it likes (+ warm, - cold), recipe as material×quantity per piece.
const finished = `
包点
B01 鲜肉包 250 10 6 46 morning - flour×45 pork×30 scallion×4
B02 豆沙包 220 10 6 24 morning . flour×45 bean_paste×30
B03 香菇菜包 220 10 6 30 morning . flour×45 greens×32 mushroom×8
B04 叉烧包 350 10 6 22 morning . flour×45 char_siu×30
B05 奶黄包 280 10 6 18 morning . flour×45 custard×28
B06 馒头 120 10 6 28 morning . flour×60
B07 烧麦 260 10 6 20 morning - flour×20 rice×35 pork×18
B08 茶叶蛋 180 12 10 52 morning - egg×1 tea_sauce×12
关东煮
O01 关东煮萝卜 300 8 4 22 evening - radish×90 oden_broth×60
O02 关东煮鱼丸 350 8 5 34 evening - fish_ball×3 oden_broth×40
O03 关东煮海带 300 8 4 16 evening - kelp×30 oden_broth×40
O04 关东煮香肠 400 8 5 28 evening - sausage×1 oden_broth×40
O05 关东煮豆腐 300 8 4 18 evening - tofu×60 oden_broth×40
O06 关东煮魔芋 300 8 4 12 evening - konjac×50 oden_broth×40
O07 关东煮鸡蛋 280 8 4 20 evening - egg×1 oden_broth×40
饭团
R01 金枪鱼饭团 590 36 3 30 noon . sushi_rice×90 tuna×25 nori×1 mayo×6
R02 三文鱼饭团 690 36 3 20 noon . sushi_rice×90 salmon×22 nori×1
R03 培根蛋饭团 590 36 3 18 noon . sushi_rice×90 bacon×15 egg×0.5 nori×1
R04 照烧鸡饭团 590 36 3 24 noon . sushi_rice×90 chicken×28 teriyaki×8 nori×1
R05 梅子饭团 490 36 3 10 noon + sushi_rice×95 plum×8 nori×1
R06 加州寿司卷 1290 36 2 12 noon + sushi_rice×150 crab_stick×2 cucumber×30 nori×2 mayo×8
便当
L01 照烧鸡腿饭 1890 36 2 22 noon . cooked_rice×250 chicken×120 greens×60 teriyaki×20 lunch_box×1
L02 红烧肉饭 2090 36 2 16 noon - cooked_rice×250 pork×110 egg×1 greens×50 lunch_box×1
L03 咖喱牛肉饭 2290 36 2 14 noon . cooked_rice×250 beef×80 potato×70 curry×60 lunch_box×1
L04 宫保鸡丁饭 1790 36 2 20 noon . cooked_rice×250 chicken×110 peanut×15 scallion×20 lunch_box×1
L05 番茄炒蛋饭 1590 36 2 18 noon . cooked_rice×250 egg×2 tomato×120 lunch_box×1
L06 鱼香肉丝饭 1790 36 2 16 noon . cooked_rice×250 pork×90 carrot×40 fungus×15 lunch_box×1
L07 意式肉酱面 1890 36 2 12 noon . pasta×220 beef×60 tomato×80 lunch_box×1
L08 扬州炒饭 1490 36 2 16 noon . cooked_rice×300 egg×1 shrimp×30 carrot×20 lunch_box×1
三明治与卷
S01 鸡肉卷 1280 12 3 26 noon . wrap×1 chicken×50 lettuce×30 mayo×10
S02 火腿三明治 790 36 3 28 morning . toast×2 ham×30 lettuce×12 mayo×8
S03 鸡蛋三明治 690 36 3 30 morning . toast×2 egg×1.5 mayo×15
S04 金枪鱼三明治 890 36 3 20 morning . toast×2 tuna×35 lettuce×12 mayo×12
S05 牛肉汉堡 1490 6 2 18 noon . bun×1 beef_patty×1 lettuce×20 burger_sauce×15
S06 香辣鸡腿堡 1390 6 2 24 evening . bun×1 chicken×90 lettuce×20 burger_sauce×15
S07 吐司煎蛋卷 1090 12 2 10 morning . wrap×1 egg×2 cheese×1
S08 蔬菜卷 990 12 3 8 noon + wrap×1 lettuce×50 cucumber×40 carrot×30
烘焙
K01 可颂 850 36 4 24 morning . dough×70 butter×18
K02 牛角热狗 790 36 4 16 morning . dough×60 sausage×1
K03 蛋挞 450 12 6 40 evening . tart_shell×1 custard×35
K04 菠萝包 590 36 4 18 morning . dough×75 butter×10
K05 肉松面包 650 36 4 20 morning . dough×70 pork_floss×12
K06 红豆面包 550 36 4 14 morning . dough×70 bean_paste×25
K07 巧克力麦芬 890 48 4 10 evening . dough×60 chocolate×20
K08 芝士蛋糕 1290 48 2 8 evening . cheese×3 custard×60
咖啡与饮品
C01 瓶装美式 990 36 2 60 morning . coffee_bean×18 cup×1
C02 瓶装拿铁 1390 36 2 54 morning . coffee_bean×18 milk×220 cup×1
C03 瓶装冰拿铁 1490 36 2 30 noon + coffee_bean×18 milk×180 cup×1
C04 瓶装豆浆 390 36 4 44 morning - soy_milk×300 cup×1
C05 瓶装奶茶 990 36 2 22 evening - tea_base×120 milk×150 cup×1
C06 瓶装柠檬茶 1090 36 2 20 evening + tea_base×250 lemon×20 cup×1
熟食
H01 炸鸡块 990 6 4 34 evening . chicken×120 batter×20
H02 烤肠 500 6 5 48 evening . sausage×1
H03 炸鸡排 1290 6 3 26 evening . chicken×150 batter×25
H04 玉米棒 600 6 4 14 evening - corn×1
H05 炸薯条 890 4 3 28 evening . potato×180 batter×6
沙拉与水果
F01 凯撒沙拉 1690 36 2 10 noon + lettuce×120 chicken×40 cheese×1 mayo×20
F02 鲜切水果杯 1290 16 3 16 evening + melon×120 apple×60 cup×1
F03 草莓杯 1890 16 3 12 evening + strawberry×150 cup×1
F04 酸奶水果碗 1390 36 3 12 morning + yogurt×150 melon×40 strawberry×30 cup×1
`

// A material: code, name, base unit, pack in that unit, price of a pack in fen, life in hours, supplier.
const materials = `
flour 面粉 g 25000 9500 2160 grain
rice 大米 g 25000 13000 4320 grain
pasta 意面 g 5000 6500 4320 grain
pork 猪肉馅 g 5000 14500 72 meat
char_siu 叉烧馅 g 2000 8800 120 meat
chicken 鸡腿肉 g 5000 9800 96 meat
beef 牛肉 g 3000 19800 96 meat
beef_patty 牛肉饼 piece 40 16000 2160 frozen
fish_ball 鱼丸 piece 100 6500 2160 frozen
sausage 香肠 piece 80 11200 1440 frozen
shrimp 虾仁 g 2000 11000 2160 frozen
crab_stick 蟹柳 piece 60 4200 1440 frozen
tart_shell 蛋挞皮 piece 72 5400 2160 frozen
wrap 卷饼皮 piece 50 3500 1440 frozen
dough 冷冻面团 g 10000 9800 2160 frozen
bacon 培根 g 2000 9600 720 meat
ham 火腿片 g 2000 7200 720 meat
salmon 三文鱼 g 1000 9900 96 meat
tuna 金枪鱼罐头 g 1800 5400 8760 grain
egg 鸡蛋 piece 180 12600 480 farm
milk 牛奶 ml 12000 10800 240 farm
butter 黄油 g 2500 14500 2160 farm
cheese 芝士片 piece 84 8400 1440 farm
yogurt 酸奶 g 6000 7800 360 farm
tofu 老豆腐 g 3000 1800 96 farm
soy_milk 豆浆原浆 ml 10000 4200 96 farm
lettuce 生菜 g 3000 2700 72 farm
greens 青菜 g 5000 3000 48 farm
scallion 小葱 g 1000 900 72 farm
mushroom 香菇 g 1000 2400 120 farm
tomato 番茄 g 5000 3500 120 farm
potato 土豆 g 10000 3600 480 farm
carrot 胡萝卜 g 5000 1900 360 farm
cucumber 黄瓜 g 5000 2600 120 farm
radish 白萝卜 g 10000 2800 240 farm
lemon 柠檬 g 5000 5200 480 farm
melon 哈密瓜 g 8000 5600 168 farm
apple 苹果 g 10000 8900 480 farm
strawberry 草莓 g 2000 7600 48 farm
corn 玉米 piece 30 4800 120 farm
fungus 木耳 g 1000 3800 4320 grain
peanut 花生米 g 2500 3900 4320 grain
kelp 海带结 g 3000 2900 720 frozen
konjac 魔芋 g 3000 2600 1440 frozen
nori 海苔片 piece 500 14000 4320 grain
plum 梅子酱 g 1000 3200 4320 grain
bean_paste 豆沙 g 5000 5500 1440 grain
custard 奶黄馅 g 5000 8500 720 frozen
pork_floss 肉松 g 2000 9800 2160 grain
chocolate 巧克力 g 2500 11000 4320 grain
mayo 沙拉酱 g 6000 7800 2160 grain
teriyaki 照烧汁 g 5000 6200 2160 grain
curry 咖喱酱 g 5000 7400 2160 grain
burger_sauce 汉堡酱 g 3000 4500 1440 grain
tea_sauce 卤汁料 g 5000 4800 2160 grain
oden_base 关东煮汤底 g 5000 6900 2160 grain
batter 裹粉 g 10000 6800 2160 grain
coffee_bean 咖啡豆 g 6000 42000 4320 grain
tea_leaf 红茶叶 g 2000 8800 8760 grain
toast 吐司片 piece 40 2600 96 bakery
bun 汉堡胚 piece 48 4300 96 bakery
cup 杯 piece 500 9000 87600 grain
lunch_box 餐盒 piece 300 12000 87600 grain
sugar 砂糖 g 25000 16000 8760 grain
vinegar 寿司醋 ml 10000 6000 4320 grain
`

// A semi-finished product: code, name, base unit, life in hours, yield, recipe for one yield.
const semis = `
cooked_rice 熟米饭 g 12 5000 rice×2300
sushi_rice 寿司饭 g 12 4000 rice×1760 vinegar×280 sugar×88
oden_broth 关东煮汤 ml 12 5000 oden_base×200
tea_base 茶汤 ml 8 2000 tea_leaf×36 sugar×80
`

// Suppliers: code, name, lead class, lead hours, order days, cut-off, least packs.
const suppliers = `
grain 丰禾粮油 ambient 48 135 15:00 1
meat 鲜达肉品 fresh 24 1234567 16:00 1
frozen 北辰冷冻 frozen 72 1246 12:00 1
farm 绿源农场 fresh 24 1234567 18:00 1
bakery 麦香烘焙 fresh 24 123456 14:00 2
`

// Stores: code, name, size against the average, kind of neighbourhood.
const stores = `
S001 人民广场店 1.45 office
S002 南京西路店 1.30 office
S003 陆家嘴店 1.40 office
S004 徐家汇店 1.20 mixed
S005 五角场店 1.15 campus
S006 中山公园店 1.10 mixed
S007 静安寺店 1.05 office
S008 虹桥路店 .95 home
S009 莘庄店 .85 home
S010 张江店 1.00 office
S011 大学城店 .90 campus
S012 世纪公园店 .75 home
`

// Part is one component of a recipe: so much of a material for one yield.
type Part struct {
	Code string
	Qty  string // decimal, in the material's base unit
}

// Product is a thing of the demo chain that is sold, made or bought.
type Product struct {
	Code, Name, Category, Unit string
	Price                      int64 // fen; 0: not sold
	LifeHours                  int64
	Batch                      int64
	Daily                      float64 // mean pieces a day in an average store
	Profile                    string
	Weather                    float64 // answer to warmth, per 10 °C over the normal of the year
	Yield                      int64   // of the recipe, in Unit
	Recipe                     []Part
	Pack                       int64 // bought: in Unit
	PackFen                    int64
	Supplier                   string
}

// Supplier of the demo chain.
type Supplier struct {
	Code, Name, Class, Days, CutOff string
	LeadHours, MinPacks             int64
}

// Store of the demo chain.
type Store struct {
	Code, Name, Kind string
	Size             float64
}

// lines splits a table into rows of words; a row of one word is a heading that the rows after it carry.
func lines(table string, each func(heading string, words []string)) {
	var heading string
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		switch len(words) {
		case 0:
		case 1:
			heading = words[0]
		default:
			each(heading, words)
		}
	}
}

func whole(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return n
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return f
}

func parts(words []string) []Part {
	out := make([]Part, len(words))
	for i, w := range words {
		code, n, ok := strings.Cut(w, "×")
		if !ok {
			panic("sim: " + w)
		}
		out[i] = Part{code, n}
	}
	return out
}

// Range returns all products: finished ones first, then semi-finished, then materials.
func Range() []Product {
	var out []Product
	liking := map[string]float64{"+": .35, "-": -.30, ".": 0}
	lines(finished, func(category string, w []string) {
		out = append(out, Product{Code: w[0], Name: w[1], Category: category, Unit: "piece", Price: whole(w[2]),
			LifeHours: whole(w[3]), Batch: whole(w[4]), Daily: number(w[5]), Profile: w[6], Weather: liking[w[7]], Yield: 1, Recipe: parts(w[8:])})
	})
	lines(semis, func(_ string, w []string) {
		out = append(out, Product{Code: w[0], Name: w[1], Category: "半成品", Unit: w[2], LifeHours: whole(w[3]), Batch: whole(w[4]), Yield: whole(w[4]), Recipe: parts(w[5:])})
	})
	lines(materials, func(_ string, w []string) {
		out = append(out, Product{Code: w[0], Name: w[1], Category: "原料", Unit: w[2], Pack: whole(w[3]), PackFen: whole(w[4]), LifeHours: whole(w[5]), Supplier: w[6]})
	})
	return out
}

// Suppliers returns the demo chain's suppliers.
func Suppliers() []Supplier {
	var out []Supplier
	lines(suppliers, func(_ string, w []string) {
		out = append(out, Supplier{Code: w[0], Name: w[1], Class: w[2], LeadHours: whole(w[3]), Days: w[4], CutOff: w[5], MinPacks: whole(w[6])})
	})
	return out
}

// Stores returns the demo chain's stores.
func Stores() []Store {
	var out []Store
	lines(stores, func(_ string, w []string) {
		out = append(out, Store{Code: w[0], Name: w[1], Size: number(w[2]), Kind: w[3]})
	})
	return out
}
