"""Who somebody is, and how he says so: forms, OpenID Connect, LDAP, sessions."""
