"""What the pages of the automation area share: the decorator of their views, navigation, words."""
