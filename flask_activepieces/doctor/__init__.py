"""``flask activepieces doctor``: checks of the app, its data and Activepieces, each finding with its remedy."""
