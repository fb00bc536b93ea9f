"""The connections of a tenant in Activepieces."""
