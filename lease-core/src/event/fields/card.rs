use super::{Described, Fields};
use crate::model::CreditCard;

/// The gateway's token is left out.
impl Described for CreditCard {
    fn fields(&self) -> Fields {
        vec![
            ("exp_month", self.exp_month.into()),
            ("exp_year", self.exp_year.into()),
            ("holder_name", self.holder_name.as_str().into()),
            ("is_default", self.is_default.into()),
        ]
    }
}
