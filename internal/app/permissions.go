package app

import "zhanggui/internal/org"

// permissions are everything a role can allow. A route names one of them, or none is served.
var permissions = []org.Permission{
	{Name: "org.read", ZH: "查看组织、机构、员工和操作记录", EN: "See organisation, sites, staff and audit trail"},
	{Name: "org.manage", ZH: "管理组织、机构、员工和授权", EN: "Manage organisation, sites, staff and rights"},
	{Name: "goods.read", ZH: "查看商品", EN: "See goods"},
	{Name: "goods.manage", ZH: "管理商品", EN: "Manage goods"},
	{Name: "price.manage", ZH: "管理售价", EN: "Manage prices"},
	{Name: "price.approve", ZH: "审批调价单", EN: "Approve price changes"},
	{Name: "stock.read", ZH: "查看库存", EN: "See stock"},
	{Name: "stock.manage", ZH: "管理库存", EN: "Manage stock"},
	{Name: "stock.count", ZH: "盘点", EN: "Count stock"},
	{Name: "stock.approve", ZH: "审批盘点差异", EN: "Approve differences of stock counts"},
	{Name: "stock.policy", ZH: "设定批次拣取规则", EN: "Say which batches serve first"},
	{Name: "stock.promise", ZH: "为订单预留和交付商品", EN: "Keep goods for orders and hand them over"},
	{Name: "make.read", ZH: "查看加工任务和批次追溯", EN: "See making, and trace batches"},
	{Name: "make.work", ZH: "领料、加工、报成品", EN: "Take materials, make, report output"},
	{Name: "till.sell", ZH: "收银", EN: "Sell at the till"},
	{Name: "till.void", ZH: "作废销售单", EN: "Void a sale"},
	{Name: "till.refund", ZH: "退货退款", EN: "Refund"},
	{Name: "sales.read", ZH: "查看销售", EN: "See sales"},
	{Name: "import.run", ZH: "导入数据", EN: "Import data"},
	{Name: "forecast.read", ZH: "查看销售预测", EN: "See forecasts"},
	{Name: "forecast.run", ZH: "运行销售预测", EN: "Run forecasts"},
	{Name: "party.read", ZH: "查看供应商", EN: "See suppliers"},
	{Name: "party.manage", ZH: "管理供应商和供货条件", EN: "Manage suppliers and their terms"},
	{Name: "plan.read", ZH: "查看生产和订货计划", EN: "See production and order plans"},
	{Name: "plan.confirm", ZH: "确认或修改计划", EN: "Confirm or change plans"},
	{Name: "plan.approve", ZH: "放行超限的补货行和销量拦截", EN: "Release what waits for an approver in plans"},
	{Name: "plan.rules", ZH: "管理补货规则和活动日历", EN: "Manage replenishment rules and the calendar of events"},
	{Name: "purchase.read", ZH: "查看采购单", EN: "See purchase orders"},
	{Name: "purchase.manage", ZH: "管理采购单和货源", EN: "Manage purchase orders and sources"},
	{Name: "report.read", ZH: "查看经营看板", EN: "See the board of figures"},
	{Name: "attendance.clock", ZH: "上下班打卡", EN: "Clock in and out"},
	{Name: "attendance.manage", ZH: "查看和更正出勤", EN: "See and correct attendance"},
	{Name: "clear.read", ZH: "查看临期出清", EN: "See clearance of what nears its expiry"},
	{Name: "clear.manage", ZH: "管理临期出清和规则", EN: "Manage clearance and its rules"},
	{Name: "jobs.read", ZH: "查看后台任务", EN: "See background jobs"},
	{Name: "check.read", ZH: "查看核对结果和运行指标", EN: "See check results and metrics"},
	{Name: "check.run", ZH: "运行核对", EN: "Run the checks"},
	{Name: "check.release", ZH: "放行因核对异常而停办的单据", EN: "Release kinds of documents that a red check has stopped"},
	{Name: "ledger.read", ZH: "查看台账", EN: "See the ledger"},
	{Name: "ledger.close", ZH: "结账(结账后不能再改)", EN: "Close days and months, for ever"},
	{Name: "ledger.allow", ZH: "允许账户为负", EN: "Allow an account to go below zero"},
}

// roles come with the program.
var roles = []org.BuiltIn{
	{Key: org.Administrator, Name: "管理员", Note: "拥有全部权限 / Everything"},
	{Key: "store_manager", Name: "店长", Note: "管理一家店 / Runs a store", Perms: []string{"org.read", "goods.read", "price.manage", "price.approve", "stock.read",
		"stock.manage", "stock.count", "stock.approve", "stock.policy", "stock.promise", "make.read", "make.work", "till.sell", "till.void", "till.refund", "sales.read", "import.run", "forecast.read", "forecast.run", "party.read", "plan.read",
		"plan.confirm", "purchase.read", "jobs.read", "check.read", "ledger.read", "report.read", "attendance.clock", "attendance.manage"}},
	{Key: "cashier", Name: "收银员", Note: "收银 / Sells at the till", Perms: []string{"goods.read", "stock.read", "stock.count", "stock.promise", "till.sell", "sales.read", "plan.read", "attendance.clock"}},
	{Key: "kitchen", Name: "加工员", Note: "领料和加工 / Takes materials and makes", Perms: []string{"goods.read", "stock.read", "stock.count", "make.read", "make.work", "forecast.read", "plan.read", "plan.confirm", "attendance.clock"}},
	{Key: "buyer", Name: "采购员", Note: "商品和价格 / Goods and prices", Perms: []string{"org.read", "goods.read", "goods.manage", "price.manage", "price.approve", "stock.read",
		"stock.manage", "make.read", "sales.read", "import.run", "forecast.read", "forecast.run", "party.read", "party.manage", "plan.read", "plan.confirm", "purchase.read",
		"purchase.manage", "jobs.read", "report.read", "attendance.clock"}},
	{Key: "reader", Name: "只读", Note: "只能查看 / May look, not touch", Perms: []string{"org.read", "goods.read", "stock.read", "make.read", "sales.read",
		"forecast.read", "party.read", "plan.read", "purchase.read", "jobs.read", "check.read", "ledger.read", "report.read"}},
}

// What nears its expiry is the business of everybody who works with goods.
func init() {
	for i := range roles {
		switch r := &roles[i]; r.Key {
		case "store_manager":
			r.Perms = append(r.Perms, "clear.read", "clear.manage", "plan.approve")
		case "buyer":
			r.Perms = append(r.Perms, "clear.read", "clear.manage", "plan.approve", "plan.rules")
		case "cashier", "kitchen", "reader":
			r.Perms = append(r.Perms, "clear.read")
		}
	}
}
