"""kantts/utils/ling_unit/ling_unit.py."""


class KanTtsLinguisticUnit:
    def __init__(self, config):
        assert config["linguistic_unit"]["lfeat_type_list"]

    def encode_symbol_sequence(self, lfeat_symbol):
        units = [unit.strip("{}").split("$") for unit in lfeat_symbol.strip().split(" ")]
        return [unit[0] for unit in units], [unit[4] for unit in units]
